import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import en from "@/i18n/en";
import zh from "@/i18n/zh";

type Tree = { [key: string]: string | Tree };

function keys(tree: Tree, prefix = ""): string[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [prefix + key] : keys(value, `${prefix}${key}.`),
  );
}

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return /\.(vue|ts)$/.test(name) && !name.endsWith(".test.ts") && !name.endsWith(".d.ts") ? [path] : [];
  });
}

const known = new Set(keys(zh));

test("both languages say the same things", () => {
  expect(keys(en).sort()).toEqual([...known].sort());
});

test("a text names its values alike in both languages", () => {
  const values = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
  const at = (tree: Tree, key: string) => key.split(".").reduce<string | Tree>((found, part) => (found as Tree)[part]!, tree) as string;
  for (const key of known) expect(values(at(en, key)), key).toEqual(values(at(zh, key)));
});

test("every text that a screen asks for is there, and each is asked for", () => {
  const code = sources("src").map((path) => readFileSync(path, "utf8")).join("\n");
  const asked = [...code.matchAll(/(?:\bt\(|title: )["']([a-zA-Z]\w*(?:\.\w+)+)["']/g)].map((match) => match[1]!);
  expect(asked.filter((key) => !known.has(key))).toEqual([]);
  // `season.state.${…}` asks for every key below it.
  const built = [...code.matchAll(/`([a-zA-Z]\w*(?:\.\w+)*\.)\$\{/g)].map((match) => match[1]!);
  const used = (key: string) =>
    // Chosen by a name at run time: t(`nav.${name}`) and the like.
    code.includes(`"${key}"`) || code.includes(`'${key}'`) || built.some((prefix) => key.startsWith(prefix));
  expect([...known].filter((key) => !used(key))).toEqual([]);
});
