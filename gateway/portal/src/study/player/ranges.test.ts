import { expect, test } from "vitest";
import { firstGap, total, union } from "@/study/player/ranges";

test("a union is in order and overlaps nowhere", () => {
  expect(union([[5, 9], [0, 3]], [[3, 4], [8, 12]], [[20, 20]])).toEqual([[0, 4], [5, 12]]);
  expect(union()).toEqual([]);
});

test("each second counts once", () => {
  expect(total([[0, 10], [5, 15]])).toBe(15);
});

test("where to go on", () => {
  expect(firstGap([], 40)).toBe(0);
  expect(firstGap([[0, 12]], 40)).toBe(12);
  expect(firstGap([[3, 12]], 40)).toBe(0);
  expect(firstGap([[0, 20], [20, 40]], 40)).toBe(40);
});
