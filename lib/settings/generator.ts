/**
 * The settings of the payments generator, under the names the data contract gives them: environment only, because they are
 * many and seldom changed. What they mean and which values hold is the domain's to say.
 */
import { parsePickEntries } from "../domain/pick_list.ts";
import { paymentPickList, pickListMeaning, type PickListName, pickListNames } from "../domain/payments/pick_lists.ts";
import {
  type PaymentSettingDeclaration,
  paymentSettingDeclarations,
  type PaymentSettingName,
} from "../domain/payments/settings.ts";
import { integer, text } from "./kinds.ts";
import { InvalidValue, type Setting } from "./setting.ts";

type Capitals<Name extends string> = Name extends `${infer Letter}${infer Rest}`
  ? `${Letter extends Uppercase<Letter> ? "_" : ""}${Uppercase<Letter>}${Capitals<Rest>}`
  : "";

/** Environment name of a list, such as `PICK_LIST_ACCOUNT_TYPE`. */
export type PickListVariable = `PICK_LIST_${Capitals<PickListName>}`;

/** The settings, the contract's under its own names. Their values are texts that were found to be readable. */
export const generatorSettings = {
  sleepMs: integer({
    environment: "SLEEP",
    help: "Milliseconds between two payments while following, in place of --rate; the data contract's is 125",
    minimum: 0,
    maximum: 3_600_000,
  }),
  pickListFile: text({
    flag: "pick-lists",
    help: "JSON file of pick lists by name; PICK_LIST_… go before it, and the default need not be there",
    defaultText: "data/pick_lists.json",
    placeholder: "FILE",
  }),
  pickListTable: text({
    flag: "pick-list-table",
    help: "Table or view of pick lists in the database that is generated into, after the file: list, value, weight",
    placeholder: "NAMESPACE.TABLE",
  }),
  ...(Object.fromEntries(
    Object.keys(paymentSettingDeclarations).map((name) => [
      name,
      paymentSetting(name as PaymentSettingName),
    ]),
  ) as Readonly<Record<PaymentSettingName, Setting<string | undefined>>>),
  ...(Object.fromEntries(pickListNames.map((name) => [pickListVariable(name), pickListSetting(name)])) as Readonly<
    Record<PickListVariable, Setting<string | undefined>>
  >),
};

/** The environment name of a list. */
export function pickListVariable(name: PickListName): PickListVariable {
  return `PICK_LIST_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}` as PickListVariable;
}

function paymentSetting(name: PaymentSettingName): Setting<string | undefined> {
  const { help, expected, read, ...declared }: PaymentSettingDeclaration<unknown> = paymentSettingDeclarations[name];
  return {
    environment: name,
    help,
    placeholder: name === "COUNTRY" ? "NAME" : "VALUE",
    ...(declared.default === "" ? {} : { defaultText: declared.default }),
    secret: false,
    repeatable: false,
    parse: ([given = ""]) =>
      read(given.trim()) === undefined ? new InvalidValue("cannot be used", `Give ${expected}`) : given.trim(),
  };
}

function pickListSetting(name: PickListName): Setting<string | undefined> {
  const { help, example } = pickListMeaning(name);
  return {
    environment: pickListVariable(name),
    help: `${help}, with weights`,
    placeholder: example,
    secret: false,
    repeatable: false,
    parse: ([given = ""]) => {
      try {
        paymentPickList(name, parsePickEntries(given));
        return given;
      } catch (thrown) {
        const reason = thrown instanceof Error ? thrown.message : String(thrown);
        return new InvalidValue(`is no list of ${name}: ${reason}`, `Write it as ${example}`);
      }
    },
  };
}
