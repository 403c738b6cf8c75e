// Writes the types of the service's operations: generate.mjs DOCUMENT FILE. A file is a Blob, which the usual types leave as text.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const [document, file] = process.argv.slice(2);
const blob = ts.factory.createTypeReferenceNode(ts.factory.createIdentifier("Blob"));
const types = await openapiTS(JSON.parse(await readFile(document, "utf8")), {
  transform: (schema) => (schema.format === "binary" ? blob : undefined),
});
await writeFile(file, astToString(types));
