/**
 * Names and streets to draw from. Making one with faker costs microseconds, so a few thousand of each are made once and
 * rows draw from those.
 */
import type { Faker } from "@faker-js/faker";
import { countries, type Country, type CountryCode } from "./countries.ts";

/** Values made once per country, language and seed. */
export interface NamePools {
  readonly maleFirstNames: readonly string[];
  readonly femaleFirstNames: readonly string[];
  readonly lastNames: readonly string[];
  readonly streets: readonly string[];
}

/** Draws per pool; repeats are dropped, so a pool is as large as its language allows, up to this. */
const drawsPerPool = 3000;

/** Makes the pools. A language the country has no names in falls back to the country's first. */
export async function loadNamePools(
  countryCode: CountryCode,
  options: { readonly languageCode: string; readonly seed: number },
): Promise<NamePools> {
  const { fakers }: Country = countries[countryCode];
  const load = fakers[options.languageCode] ?? Object.values(fakers)[0];
  if (load === undefined) throw new RangeError(`Cannot make names for ${countryCode}: no language is known`);
  return drawPools((await load()).faker, options.seed);
}

/** Seeds and draws in one go, because the faker of a language is shared by all its users. */
function drawPools(faker: Faker, seed: number): NamePools {
  faker.seed(seed);
  const pool = (draw: () => string) => [...new Set(Array.from({ length: drawsPerPool }, draw))];
  return {
    maleFirstNames: pool(() => faker.person.firstName("male")),
    femaleFirstNames: pool(() => faker.person.firstName("female")),
    lastNames: pool(() => faker.person.lastName()),
    streets: pool(() => faker.location.street()),
  };
}
