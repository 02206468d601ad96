import { expect, test } from "vitest";
import { divisionOf, isSchool, schoolOf, wayTo } from "@/components/places";

const SCHOOL = "CN/440000/440100/440103/s0191f2b45d6e7a3b8c1d2e3f4a5b6c7d";

test("a school's place tells its id", () => {
  expect(isSchool(SCHOOL)).toBe(true);
  expect(schoolOf(SCHOOL)).toBe("0191f2b4-5d6e-7a3b-8c1d-2e3f4a5b6c7d");
  expect(schoolOf("CN/440000")).toBe("");
});

test("the division of a school is its county's", () => {
  expect(divisionOf(SCHOOL)).toBe("440103");
  expect(divisionOf("CN/440000/440100/440103/other")).toBe("440103");
  expect(divisionOf("CN")).toBe("CN");
});

test("the way to a place begins at the top", () => {
  expect(wayTo("CN/440000/440100")).toEqual(["CN", "CN/440000", "CN/440000/440100"]);
});
