// Runs the page's codegen.ts as the program graphql-codegen does, through its core.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { preset } from "@graphql-codegen/client-preset";
import { codegen } from "@graphql-codegen/core";
import { buildASTSchema, parse } from "graphql";
import configuration from "./codegen.ts";

const schema = parse(readFileSync(configuration.schema, "utf8"));
const documents = process.argv.slice(2).map((location) => {
  const rawSDL = readFileSync(location, "utf8");
  return { location, rawSDL, document: parse(rawSDL) };
});

for (const [baseOutputDir, { config }] of Object.entries(configuration.generates)) {
  const sections = await preset.buildGeneratesSection({
    baseOutputDir,
    schema,
    schemaAst: buildASTSchema(schema),
    documents,
    config,
    presetConfig: {},
    plugins: [],
    pluginMap: {},
    profiler: { run: (step) => step() },
  });
  for (const section of sections) {
    mkdirSync(dirname(section.filename), { recursive: true });
    writeFileSync(section.filename, await codegen(section));
  }
}
