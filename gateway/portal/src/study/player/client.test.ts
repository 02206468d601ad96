import { expect, test } from "vitest";
import { onTheWay } from "@/study/player/client";

function storageOf(journals: object[]): Storage {
  const kept = new Map(journals.map((journal, index) => [`yanxiu.study.${index}`, JSON.stringify(journal)]));
  return { length: kept.size, key: (index: number) => [...kept.keys()][index], getItem: (key: string) => kept.get(key) } as unknown as Storage;
}

test("reports of this video that wait, and no others", () => {
  const journal = (activity_id: string, ...segments: [number, number][][]) => ({
    session: { activity_id },
    reports: segments.map((one, index) => ({ seq: index + 1, segments: one, receipt: "" })),
  });
  const storage = storageOf([journal("a", [[0, 12]], [[12, 20], [30, 31]]), journal("b", [[20, 25]]), journal("a", [[18, 26]])]);
  expect(onTheWay("a", storage)).toEqual([[0, 26], [30, 31]]);
  expect(onTheWay("c", storage)).toEqual([]);
});
