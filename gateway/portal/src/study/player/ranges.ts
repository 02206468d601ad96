/** Sets of whole seconds as half-open ranges, as the API tells them. */
export type Range = readonly [number, number];

/** All seconds of both, in order, without overlaps. */
export function union(...sets: readonly (readonly Range[])[]): Range[] {
  const sorted = sets.flat().filter(([from, to]) => from < to).sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

export function total(set: readonly Range[]): number {
  return union(set).reduce((sum, [from, to]) => sum + to - from, 0);
}

/** The first second that the set lacks, `end` when it lacks none. */
export function firstGap(set: readonly Range[], end: number): number {
  const first = union(set)[0];
  return first && first[0] === 0 ? Math.min(first[1], end) : 0;
}
