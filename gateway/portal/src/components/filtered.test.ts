import { expect, test } from "vitest";
import { chosen } from "@/components/filtered";

const OFFERED = { place: "text", state: ["OPEN", "CLOSED"] } as const;

test("a filter is asked for when something is chosen that the list knows", () => {
  expect(chosen(OFFERED, { place: "CN", state: "OPEN" })).toEqual({ place: "CN", state: "OPEN" });
  expect(chosen(OFFERED, { place: "CN", state: "" })).toEqual({ place: "CN" });
  expect(chosen(OFFERED, { place: "", state: "typed by hand" })).toEqual({});
});
