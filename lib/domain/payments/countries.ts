/** What differs by country and is not a pick list: its name, its mobile numbers and the language of its names. */
import type { Faker } from "@faker-js/faker";

/** A country the generator knows. */
export interface Country {
  readonly name: string;
  /** `#` becomes a digit. */
  readonly mobilePatterns: readonly string[];
  /** Loads names and streets; other languages than these fall back to the first. */
  readonly fakers: Readonly<Record<string, () => Promise<{ readonly faker: Faker }>>>;
}

/** Known countries by ISO 3166 alpha-2 code. */
export const countries = {
  ZA: {
    name: "South Africa",
    mobilePatterns: ["+27 6# ### ####", "+27 7# ### ####", "+27 8# ### ####"],
    fakers: {
      en: () => import("@faker-js/faker/locale/en_ZA"),
      af: () => import("@faker-js/faker/locale/af_ZA"),
      zu: () => import("@faker-js/faker/locale/zu_ZA"),
    },
  },
  IE: {
    name: "Ireland",
    mobilePatterns: ["+353 83 ### ####", "+353 85 ### ####", "+353 87 ### ####"],
    fakers: { en: () => import("@faker-js/faker/locale/en_IE") },
  },
  US: {
    name: "United States",
    // 555-01## is set aside for fiction by the North American Numbering Plan.
    mobilePatterns: ["+1 (2##) 555-01##", "+1 (3##) 555-01##", "+1 (7##) 555-01##"],
    fakers: { en: () => import("@faker-js/faker/locale/en_US") },
  },
  GB: {
    name: "United Kingdom",
    // 07700 900### is set aside for drama by Ofcom.
    mobilePatterns: ["+44 7700 900###"],
    fakers: { en: () => import("@faker-js/faker/locale/en_GB") },
  },
  DE: {
    name: "Germany",
    mobilePatterns: ["+49 151 ########", "+49 160 #######", "+49 171 #######"],
    fakers: { de: () => import("@faker-js/faker/locale/de") },
  },
} as const satisfies Readonly<Record<string, Country>>;

/** Code of a known country. */
export type CountryCode = keyof typeof countries;

/** All codes. */
export const countryCodes = Object.keys(countries) as readonly CountryCode[];
