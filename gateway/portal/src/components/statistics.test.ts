import { expect, test } from "vitest";
import { newest } from "@/components/statistics";

test("without a choice the programme that began last is shown", () => {
  const of = (state: string, opens_at: string) => ({ state, opens_at });
  const winter = of("CLOSED", "2023-01-09T16:00:00Z");
  const summer = of("OPEN", "2023-07-14T16:00:00Z");
  const next = of("PLANNED", "2024-01-09T16:00:00Z");
  expect(newest([next, summer, winter])).toBe(summer);
  expect(newest([of("PLANNED", "2025-01-01T00:00:00Z"), next])).toBe(next);
  expect(newest([])).toBeUndefined();
});
