// Does what a bundler does for Relay: puts the compiled queries in the place of the tags, and names its exports.
import { readFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { transformSync } from "@babel/core";

const require = createRequire(import.meta.url);
const names = Object.keys(require("relay-runtime")).filter((name) => name !== "default");
const runtime = [
  `import { createRequire } from "node:module";`,
  `const runtime = createRequire(${JSON.stringify(import.meta.url)})("relay-runtime");`,
  ...names.map((name) => `export const ${name} = runtime.${name};`),
].join("\n");
const plugins = ["@babel/plugin-syntax-typescript", ["babel-plugin-relay", { eagerEsModules: true }]];

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "relay-runtime") return { url: "bundled:relay-runtime", shortCircuit: true };
    return next(specifier.endsWith(".graphql") ? `${specifier}.ts` : specifier, context);
  },
  load(url, context, next) {
    if (url === "bundled:relay-runtime") return { format: "module", source: runtime, shortCircuit: true };
    if (!url.endsWith("/relay/Orders.ts")) return next(url, context);
    const filename = fileURLToPath(url);
    const { code } = transformSync(readFileSync(filename, "utf8"), { filename, plugins, configFile: false });
    return { format: "module-typescript", source: code, shortCircuit: true };
  },
});
