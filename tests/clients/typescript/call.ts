// Submits a verification with the generated types and waits for its end: call.js URL KEY PICTURE.
import { readFile } from "node:fs/promises";
import { argv } from "node:process";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./countersign.js";

type Submission = components["schemas"]["Submission"];

const [url = "", key = "", picture = ""] = argv.slice(2);
const client = createClient<paths>({ baseUrl: url, headers: { "X-Api-Key": key } });

function expect(holds: boolean, what: unknown): asserts holds {
  if (!holds) throw new Error(JSON.stringify(what));
}

function form(submission: Submission): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(submission)) {
    const isText = typeof value === "string" || value instanceof Blob;
    form.append(name, isText ? value : JSON.stringify(value));
  }
  return form;
}

const languages = await client.GET("/v2/languages");
expect(languages.data?.languages.includes("th-TH") ?? false, languages.error);

const photo = new Blob([await readFile(picture)]);
const submitted = await client.POST("/v2/verifications", {
  params: { header: { Prefer: "wait=1", "Idempotency-Key": randomUUID() } },
  body: { kind: "spoof", photo, metadata: { order: "A-1042" } },
  bodySerializer: form,
});
expect(submitted.data !== undefined, submitted.error);

let ended = submitted.data;
while (ended.state === "queued" || ended.state === "processing") {
  const params = { path: { id: ended.id }, query: { wait: 30 } };
  const read = await client.GET("/v2/verifications/{id}", { params });
  expect(read.data !== undefined, read.error);
  ended = read.data;
}
expect(ended.state === "succeeded" && ended.report?.evidence.kind === "spoof", ended);

const missing = await client.GET("/v2/verifications/{id}", { params: { path: { id: `ver_${"0".repeat(32)}` } } });
expect(missing.error?.code === "NOT_FOUND", missing);

console.log(`TypeScript: ${ended.id} has ${ended.state}, ${ended.verdict}, ${ended.checks.length} checks`);
