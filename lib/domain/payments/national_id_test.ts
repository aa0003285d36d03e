import assert from "node:assert/strict";
import { Random } from "../random.ts";
import { type CountryCode, countryCodes } from "./countries.ts";
import { isLuhnValid } from "./luhn.ts";
import { nationalId } from "./national_id.ts";

/** Checks written from the schemes' descriptions, apart from the code that makes the numbers. */
const checks: Readonly<Record<CountryCode, (id: string, gender: "M" | "F") => boolean>> = {
  ZA: (id, gender) =>
    /^850703\d{4}[01]8\d$/.test(id) && isLuhnValid(id) && (Number(id.slice(6, 10)) >= 5000) === (gender === "M"),
  IE: (id) => {
    const sum = [8, 7, 6, 5, 4, 3, 2].reduce((total, weight, index) => total + weight * Number(id[index]), 0);
    const letter = sum % 23 === 0 ? "W" : String.fromCharCode(64 + sum % 23);
    return /^\d{7}[A-W]$/.test(id) && id[7] === letter;
  },
  US: (id) => /^9\d\d-(?!00)\d\d-(?!0000)\d{4}$/.test(id),
  GB: (id) => /^(?!BG|GB|KN|NK|NT|TN|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z]\d{6}[A-D]$/.test(id),
  DE: (id) => {
    let product = 10;
    for (const digit of id.slice(0, 10)) {
      const sum = (Number(digit) + product) % 10;
      product = (sum === 0 ? 10 : sum) * 2 % 11;
    }
    const distinct = new Set(id.slice(0, 10)).size;
    return /^[1-9]\d{10}$/.test(id) && distinct === 9 && Number(id[10]) === (product === 1 ? 0 : 11 - product);
  },
};

for (const countryCode of countryCodes) {
  Deno.test(`a national id of ${countryCode} has the shape and check digit of its scheme`, () => {
    const random = new Random(1, "national id");
    for (let i = 0; i < 2000; i++) {
      const gender = i % 2 === 0 ? "F" : "M";
      const id = nationalId(random.seek(i), { birthDate: "1985-07-03", gender, countryCode });
      assert.ok(checks[countryCode](id, gender), id);
      assert.ok(id.length <= 16);
    }
  });
}
