// Makes the types of the API client from openapi.json (written by `yanxiu portal`), so that a changed API breaks the build.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const document = JSON.parse(readFileSync("openapi.json", "utf8"));
const schemas = document.components.schemas;

/** Names of the schemas that `part` of the document leads to. */
function reached(part, found = new Set()) {
  if (part === null || typeof part !== "object") return found;
  const name = part.$ref?.startsWith("#/components/schemas/") ? part.$ref.split("/").at(-1) : undefined;
  if (name !== undefined && !found.has(name)) {
    found.add(name);
    reached(schemas[name], found);
  }
  for (const inner of Object.values(part)) reached(inner, found);
  return found;
}

// An answer states every field, as the gateway's schemas write it; in what is sent, what is left out means something.
const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
const sent = reached(operations.map((operation) => operation.requestBody));
for (const [name, schema] of Object.entries(schemas)) {
  if (!sent.has(name) && schema.properties) schema.required = Object.keys(schema.properties);
}
const types = await openapiTS(document, { defaultNonNullable: false });
writeFileSync("src/api/schema.d.ts", astToString(types));
