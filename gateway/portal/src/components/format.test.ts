import { expect, test } from "vitest";
import { yearOf } from "@/components/format";

test("the year turns in Beijing, wherever the reader is", () => {
  expect(yearOf("2022-12-31T15:59:59Z")).toBe(2022);
  expect(yearOf("2022-12-31T16:00:00Z")).toBe(2023);
});
