import { defineConfig } from "vite";

export default defineConfig({
  base: "/console/",
  worker: { format: "es" },
  build: {
    target: "es2023",
    // Every font and picture is a file of its own, so that the page needs no `font-src data:`.
    assetsInlineLimit: 0,
    // The editor is one part of 2.8 MB and is fetched once; splitting it further would gain nothing.
    chunkSizeWarningLimit: 3000,
    // The packages mark their modules with "use client", which means nothing in a browser bundle.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
});
