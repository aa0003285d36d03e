/** The kinds of settings there are. Each maker takes what is special about a setting and gives back its declaration. */
import { fileURLToPath } from "node:url";
import { InvalidValue, type Setting, type TableColumns } from "./setting.ts";

/** The environment name is by default `WEIR_` and the flag in capitals; a setting without a flag has to name its own. */
type Described =
  & { readonly help: string }
  & ({ readonly flag: string; readonly environment?: string } | {
    readonly flag?: undefined;
    readonly environment: string;
  });

type WithDefault = Described & { readonly defaultText: string };

interface Bounds {
  readonly minimum: number;
  readonly maximum: number;
}

/** A whole number. `1_000` and `1,000` are read as 1000. */
export function integer(options: WithDefault & Bounds): Setting<number>;
export function integer(options: Described & Bounds): Setting<number | undefined>;
export function integer(options: Described & Bounds & { readonly defaultText?: string }): Setting<number | undefined> {
  return single(options, "N", (text) => {
    const digits = text.replace(/(?<=\d)[_,](?=\d{3})/g, "");
    return /^-?\d+$/.test(digits) ? inBounds(Number(digits), options) : notA("whole number", options);
  });
}

/** A number with a fraction. */
export function decimal(options: WithDefault & Bounds & { readonly placeholder: string }): Setting<number> {
  return single(
    options,
    options.placeholder,
    (text) => /^-?\d*\.?\d+$/.test(text) ? inBounds(Number(text), options) : notA("number", options),
  );
}

const byteUnits: Readonly<Record<string, number>> = { "": 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** A size in bytes, with or without a unit: `67108864`, `64MiB`. */
export function bytes(options: WithDefault & Bounds): Setting<number> {
  return single(options, "BYTES", (text) => {
    const [, digits, unit] = /^(\d+(?:\.\d+)?) ?(|[KMGT]iB)$/.exec(text) ?? [];
    const factor = byteUnits[unit ?? ""];
    if (digits === undefined || factor === undefined) {
      return new InvalidValue("is not a size", "Give bytes, or a number with KiB, MiB, GiB or TiB, such as 64MiB");
    }
    return inBounds(Math.round(Number(digits) * factor), options);
  });
}

interface TextForm {
  readonly placeholder: string;
  /** What every value looks like. Default: anything. */
  readonly only?: { readonly form: RegExp; readonly remedy: string };
}

/** A text that is not empty. */
export function text(options: WithDefault & TextForm): Setting<string>;
export function text(options: Described & TextForm): Setting<string | undefined>;
export function text(options: Described & TextForm & { readonly defaultText?: string }): Setting<string | undefined> {
  const { placeholder, only } = options;
  return single(options, placeholder, (given) => {
    if (given === "") return new InvalidValue("is empty", "Give a value");
    return only === undefined || only.form.test(given) ? given : new InvalidValue("cannot be used", only.remedy);
  });
}

/** A folder, also as the `file://` URI that jobs and table formats write it as, or a URI of another scheme. */
export function place(options: WithDefault & Pick<TextForm, "placeholder">): Setting<string> {
  const plain = text(options);
  const parse = (texts: readonly string[]) => {
    const given = plain.parse(texts);
    if (typeof given !== "string" || !given.startsWith("file:")) return given;
    try {
      return fileURLToPath(given);
    } catch {
      return new InvalidValue("is no folder of this machine", "Write a folder as it is, or as file:///path");
    }
  };
  return { ...plain, parse };
}

interface ChoiceForm<Choice> {
  readonly choices: readonly Choice[];
}

/** One of a closed list. */
export function choice<Choice extends string>(options: WithDefault & ChoiceForm<Choice>): Setting<Choice>;
export function choice<Choice extends string>(options: Described & ChoiceForm<Choice>): Setting<Choice | undefined>;
export function choice<Choice extends string>(options: Described & ChoiceForm<Choice>): Setting<Choice | undefined> {
  const { choices: words } = options;
  return { ...single(options, words.join("|"), (given) => oneOf(words, given)), choices: { words, several: false } };
}

/** Some of a closed list, in the list's order. */
export function choices<Choice extends string>(
  options: WithDefault & ChoiceForm<Choice>,
): Setting<readonly Choice[]> {
  const read = single(options, options.choices.join(","), (given) => {
    const wanted = splitList(given).map((name) => oneOf(options.choices, name));
    const wrong = wanted.find((name) => name instanceof InvalidValue);
    if (wrong !== undefined) return wrong;
    if (wanted.length === 0) {
      return new InvalidValue("names nothing", `Give one or more of ${options.choices.join(", ")}`);
    }
    return options.choices.filter((name) => wanted.includes(name));
  });
  return { ...read, choices: { words: options.choices, several: true } };
}

/** Texts separated by commas; the flag may also be given several times. Default: none. */
export function list(options: Described & { readonly placeholder: string }): Setting<readonly string[]> {
  return {
    ...common(options),
    placeholder: options.placeholder,
    repeatable: true,
    parse: (texts) => texts.flatMap(splitList),
  };
}

/** Texts as they are, of which the flag may be given several times; in the environment there is one. Default: none. */
export function texts(options: Described & { readonly placeholder: string }): Setting<readonly string[]> {
  const parse = (given: readonly string[]) => given.map((text) => text.trim()).filter((text) => text !== "");
  return { ...common(options), placeholder: options.placeholder, repeatable: true, parse };
}

/**
 * Columns of tables, each as `table:column,column` with a separator of its own. Commas part columns, so that several tables take
 * several flags, or semicolons in the environment.
 *
 * @param options.mayBeNone Whether a table may be named without columns. Default false.
 */
export function tableColumns(
  options: Described & { readonly separator: string; readonly mayBeNone?: boolean },
): Setting<readonly TableColumns[]> {
  return {
    ...common(options),
    placeholder: `TABLE${options.separator}COLUMN,…`,
    repeatable: true,
    parse: (texts) => {
      const given = texts.flatMap((text) => text.split(";")).filter((text) => text.trim() !== "");
      const read = given.map((text) => columnsOfTable(text, options));
      return read.find((each) => each instanceof InvalidValue) ?? read.filter(isNoError);
    },
  };
}

function isNoError(read: TableColumns | InvalidValue): read is TableColumns {
  return !(read instanceof InvalidValue);
}

function columnsOfTable(
  given: string,
  { separator, mayBeNone = false }: { readonly separator: string; readonly mayBeNone?: boolean },
): TableColumns | InvalidValue {
  const end = given.indexOf(separator);
  const table = given.slice(0, Math.max(end, 0)).trim();
  const named = given.slice(end + 1).trim();
  const columns = named === "" && mayBeNone ? [] : named.split(",").map((name) => name.trim());
  if (table !== "" && columns.every((name) => name !== "")) return { table, columns };
  return new InvalidValue("does not name a table and its columns", `Write it as table${separator}column,column`);
}

/** Off unless given. */
export function toggle(options: Described): Setting<boolean> {
  const { placeholder: _, ...rest } = single({ ...options, defaultText: "false" }, "", (given) => {
    if (/^(true|yes|on|1)$/i.test(given)) return true;
    if (/^(false|no|off|0)$/i.test(given)) return false;
    return new InvalidValue("is neither true nor false", "Give true or false");
  });
  return rest;
}

/** A secret text: environment only, and never shown. Spaces around it do not count, unless `only` says what it looks like. */
export function secretText(
  { only, ...options }: { readonly environment: string; readonly help: string } & TextForm,
): Setting<string | undefined> {
  const parse = ([given = ""]: readonly string[]) => {
    if (only === undefined) return given.trim();
    return only.form.test(given) ? given : new InvalidValue("cannot be used", only.remedy);
  };
  return { ...options, secret: true, repeatable: false, parse };
}

/** A URL of a server that speaks HTTP. */
export function httpUrl(options: Described & { readonly placeholder: string }): Setting<string | undefined> {
  return single(options, options.placeholder, (given) => {
    const protocol = URL.canParse(given) ? new URL(given).protocol : undefined;
    if (protocol === "http:" || protocol === "https:") return given;
    return new InvalidValue("is not a URL", `Write it as ${options.placeholder}`);
  });
}

/** A connection string with a password in it: environment only, and never shown. */
export function secretUrl(
  options: { readonly environment: string; readonly help: string; readonly protocols: readonly string[] },
): Setting<string | undefined> {
  const example = `${options.protocols[0]}//user:password@host:5432/database`;
  return {
    environment: options.environment,
    help: options.help,
    placeholder: example,
    secret: true,
    repeatable: false,
    parse: ([given = ""]) => {
      const protocol = URL.canParse(given) ? new URL(given).protocol : undefined;
      if (protocol !== undefined && options.protocols.includes(protocol)) return given;
      return new InvalidValue("is not a connection string", `Write it as ${example}`);
    },
  };
}

/** Splits at commas; spaces around an entry and empty entries do not count. */
export function splitList(given: string): string[] {
  return given.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
}

function common(options: Described): Pick<Setting<unknown>, "flag" | "environment" | "help" | "secret" | "repeatable"> {
  const { flag, help } = options;
  if (flag === undefined) return { environment: options.environment, help, secret: false, repeatable: false };
  const environment = options.environment ?? `WEIR_${flag.replaceAll("-", "_").toUpperCase()}`;
  return { flag, environment, help, secret: false, repeatable: false };
}

function single<Value>(
  options: Described & { readonly defaultText?: string },
  placeholder: string,
  parse: (text: string) => Value | InvalidValue,
): Setting<Value> {
  const defaultText = options.defaultText === undefined ? {} : { defaultText: options.defaultText };
  return { ...common(options), ...defaultText, placeholder, parse: ([given = ""]) => parse(given.trim()) };
}

function inBounds(value: number, { minimum, maximum }: Bounds): number | InvalidValue {
  return value >= minimum && value <= maximum
    ? value
    : new InvalidValue("is out of range", rangeRemedy(minimum, maximum));
}

function notA(kind: string, { minimum, maximum }: Bounds): InvalidValue {
  return new InvalidValue(`is not a ${kind}`, rangeRemedy(minimum, maximum));
}

function rangeRemedy(minimum: number, maximum: number): string {
  return `Give a number from ${minimum.toLocaleString("en-US")} to ${maximum.toLocaleString("en-US")}`;
}

function oneOf<Choice extends string>(all: readonly Choice[], given: string): Choice | InvalidValue {
  return all.find((name) => name === given) ??
    new InvalidValue("is not one of the choices", `Choose from ${all.join(", ")}`);
}
