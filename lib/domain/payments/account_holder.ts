/**
 * Account holders.
 *
 * Promise: a holder is a function of seed, clock's day, settings, lists and its id; nothing else.
 */
import { Random } from "../random.ts";
import type { PickList } from "../pick_list.ts";
import { dayOf, dayText } from "./calendar.ts";
import { countries, type Country } from "./countries.ts";
import { type HolderAccounts, InstrumentGenerator } from "./instruments.ts";
import type { NamePools } from "./name_pools.ts";
import { nationalId } from "./national_id.ts";
import type { PaymentPickLists, Place, Suburb } from "./pick_lists.ts";
import type { PaymentSettings } from "./settings.ts";

/** What stands in the `address` column. */
export interface Address {
  readonly streetAddress: string;
  readonly suburb: string;
  readonly town: string;
  readonly province: string;
  readonly country: string;
  readonly postalCode: string;
}

/** One account holder (contracts §1.1). */
export interface AccountHolder {
  readonly id: bigint;
  readonly nationalId: string;
  readonly firstName: string;
  readonly lastName: string;
  /** `yyyy-MM-dd`. */
  readonly birthDate: string;
  readonly gender: "M" | "F";
  readonly children: number;
  readonly address: Address;
  readonly accounts: HolderAccounts;
  readonly emailAddress: string;
  readonly mobilePhoneNumber: string;
}

/** What holders are made from. */
export interface HolderGeneratorOptions {
  readonly seed: number;
  readonly settings: PaymentSettings;
  readonly lists: PaymentPickLists;
  readonly names: NamePools;
  /** Unix milliseconds; only its UTC day matters. */
  readonly clock: () => number;
}

const daysPerYear = 365.25;
/** Nobody under 16 is a holder, and no account is older than its holder's 16th birthday (contracts §1.1). */
const daysUntilSixteen = Math.ceil(16 * daysPerYear);
const accountAgeMaxDays = Math.floor(20 * daysPerYear);
const childrenMax = 5;
/** Domains set aside for examples (RFC 2606): no mail can reach anybody. */
const mailDomains = ["example.com", "example.net", "example.org"];

/** Makes account holders. */
export class AccountHolderGenerator {
  readonly #options: HolderGeneratorOptions;
  readonly #random: Random;
  readonly #instruments: InstrumentGenerator;
  readonly #places: PickList<Place>;
  readonly #suburbs: PickList<Suburb>;
  readonly #country: Country;
  readonly #countryName: string;

  /** @throws {RangeError} If the lists hold no place or suburb of the country. */
  constructor(options: HolderGeneratorOptions) {
    const { settings, lists } = options;
    this.#options = options;
    this.#random = new Random(options.seed, "account holder");
    this.#instruments = new InstrumentGenerator(lists);
    this.#country = countries[settings.countryCode];
    this.#countryName = settings.country || this.#country.name;
    const inCountry = (value: { countryCode: string }) => value.countryCode === settings.countryCode;
    const places = lists.place.filter(inCountry);
    const suburbs = lists.suburb.filter(inCountry);
    if (places === undefined || suburbs === undefined) {
      throw new RangeError(`Cannot make addresses in ${settings.countryCode}: the lists place and suburb have none`);
    }
    this.#places = places;
    this.#suburbs = suburbs;
  }

  /** The holder of an id. */
  holder(id: bigint): AccountHolder {
    const random = this.#random.seek(Number(id));
    const { lists, names, settings } = this.#options;
    const today = this.#today();
    const gender = lists.gender.pick(random);
    const birthDay = this.#birthDay(random, today);
    const birthDate = dayText(birthDay);
    const firstName = random.element(gender === "M" ? names.maleFirstNames : names.femaleFirstNames);
    const lastName = random.element(names.lastNames);
    return {
      id,
      nationalId: nationalId(random, { birthDate, gender, countryCode: settings.countryCode }),
      firstName,
      lastName,
      birthDate,
      gender,
      children: random.between(0, childrenMax),
      address: this.address(random),
      accounts: this.#accounts(random, { birthDay, today }),
      emailAddress: emailAddress(random, { firstName, lastName }),
      mobilePhoneNumber: random.pattern(random.element(this.#country.mobilePatterns)),
    };
  }

  /** An address, e.g. of a holder who moves. */
  address(random: Random): Address {
    const place = this.#places.pick(random);
    return {
      streetAddress: `${random.between(1, 299)} ${random.element(this.#options.names.streets)}`,
      suburb: this.#suburbs.pick(random).suburb,
      town: place.town,
      province: place.province,
      country: this.#countryName,
      postalCode: random.pattern(place.postalCode),
    };
  }

  /** A mailbox for a holder whose name is not at hand. */
  emailAddress(random: Random): string {
    const { femaleFirstNames, lastNames } = this.#options.names;
    return emailAddress(random, { firstName: random.element(femaleFirstNames), lastName: random.element(lastNames) });
  }

  /** An account opened today, or a card issued today. */
  newInstrument(random: Random, kind: "bankAccounts" | "creditCards"): object {
    const today = this.#today();
    return kind === "bankAccounts"
      ? this.#instruments.bankAccount(random, { from: today, to: today })
      : this.#instruments.creditCard(random, today);
  }

  #today(): number {
    return dayOf(this.#options.clock());
  }

  #birthDay(random: Random, today: number): number {
    const { ageLowYears, ageHighYears } = this.#options.settings;
    const low = Math.ceil(ageLowYears * daysPerYear);
    return today - random.between(low, Math.max(low, Math.floor(ageHighYears * daysPerYear)));
  }

  #accounts(random: Random, { birthDay, today }: { birthDay: number; today: number }): HolderAccounts {
    const { accountsPerHolderMax, cardsPerHolderMax } = this.#options.settings;
    const opened = {
      from: Math.min(today, Math.max(birthDay + daysUntilSixteen, today - accountAgeMaxDays)),
      to: today,
    };
    const bankAccounts = Array.from(
      { length: random.between(1, accountsPerHolderMax) },
      () => this.#instruments.bankAccount(random, opened),
    );
    const creditCards = Array.from(
      { length: random.between(1, cardsPerHolderMax) },
      () => this.#instruments.creditCard(random, today),
    );
    return { bankAccounts, creditCards };
  }
}

/** `first.last123@example.org`, plain ASCII (`München` → `munchen`), inside 100 characters. */
function emailAddress(random: Random, { firstName, lastName }: { firstName: string; lastName: string }): string {
  const local = `${mailboxPart(firstName)}.${mailboxPart(lastName)}`.slice(0, 60);
  return `${local}${random.below(10_000)}@${random.element(mailDomains)}`;
}

const mailboxParts = new Map<string, string>();

/** Names repeat, so each is spelled in ASCII once; the map is as large as the name pools. */
function mailboxPart(name: string): string {
  let part = mailboxParts.get(name);
  if (part === undefined) {
    part = name.normalize("NFKD").replaceAll("ß", "ss").replace(/[^A-Za-z0-9]/g, "").toLowerCase() || "holder";
    mailboxParts.set(name, part);
  }
  return part;
}
