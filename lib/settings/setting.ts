/**
 * One setting: what it is called, what it means, and how its text becomes a value.
 *
 * Promise: a setting is declared once. Flags, environment names, `.env.example`, `--help` and the checks all come from there.
 */

/** Why a text is no value of a setting, and what to write instead. */
export class InvalidValue {
  readonly reason: string;
  readonly remedy: string;

  /** @param reason completes "--flag "text" …", such as `is not a whole number`. */
  constructor(reason: string, remedy: string) {
    this.reason = reason;
    this.remedy = remedy;
  }
}

/** Some columns of a table, which may be named without its namespace. */
export interface TableColumns {
  readonly table: string;
  readonly columns: readonly string[];
}

/** The words that a value is made of, where there are no others. */
export interface Choices {
  readonly words: readonly string[];
  /** Whether several of them may be given, parted by commas. */
  readonly several: boolean;
}

/** A setting as declared. */
export interface Setting<Value> {
  /** Without dashes. Undefined: environment only, for what must not stand in a process list. */
  readonly flag?: string;
  /** Environment name. */
  readonly environment: string;
  /** Another one that means the same and is looked at next. */
  readonly otherEnvironment?: string;
  /** One line for `--help`. */
  readonly help: string;
  /** What the help shows in place of a value, such as `SECONDS`; undefined for a switch. */
  readonly placeholder?: string;
  /** Undefined: any text may be right. */
  readonly choices?: Choices;
  /** As text, the way a user would write it. Undefined: there is no value unless one is given. */
  readonly defaultText?: string;
  /** Never shown, not even in an error. */
  readonly secret: boolean;
  /** The flag may be given several times; the texts reach `parse` together. */
  readonly repeatable: boolean;
  /** Turns the given texts (one, unless repeatable) into the value. */
  parse(texts: readonly string[]): Value | InvalidValue;
}

/** Settings under the names the code uses. */
export type Declarations = Readonly<Record<string, Setting<unknown>>>;

/** The values of declared settings. */
export type SettingValues<Declared extends Declarations> = {
  readonly [Name in keyof Declared]: Declared[Name] extends Setting<infer Value> ? Value : never;
};

/** How a user would name a setting: by its flag where it has one. */
export function displayName(setting: Setting<unknown>): string {
  return setting.flag === undefined ? setting.environment : `--${setting.flag}`;
}
