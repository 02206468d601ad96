/** Places are paths in the tree: CN/440000/440100/440103/s<school's id without hyphens>. */
export function isSchool(place: string): boolean {
  return /\/s[0-9a-f]{32}$/.test(place);
}

/** The school's id, "" for a region. */
export function schoolOf(place: string): string {
  const plain = /\/s([0-9a-f]{32})$/.exec(place)?.[1];
  return plain ? plain.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") : "";
}

/** The last division on the way, as its code. */
export function divisionOf(place: string): string {
  return place.split("/").filter((part) => part === "CN" || /^\d{6}$/.test(part)).at(-1) ?? "CN";
}

/** The place and all above it, from the top. */
export function wayTo(place: string): string[] {
  const parts = place.split("/");
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
