import { createLocalStorage } from "@graphiql/toolkit";

import type { Configuration } from "./configuration";
import type { Tab } from "./tabs";

const OPENED_FOR = "opened-for";

/**
 * Open the browser's storage for this page.
 *
 * Tabs survive a reload, but tabs left by an earlier token or by other examples would hide the new ones:
 * then everything is forgotten, and the page opens as on the first visit.
 */
export function openStorage({ token, examples }: Configuration, tabs: Tab[]) {
  const storage = createLocalStorage({ namespace: "switchgear" });
  const configured = fingerprint(JSON.stringify([token, examples]));
  if (storage.getItem(OPENED_FOR) !== configured) {
    storage.clear();
    storage.setItem(OPENED_FOR, configured);
    // GraphiQL writes these two only after an edit. Without them it opens the first tab without its
    // variables, and after a reload it takes that tab for another one and opens it twice.
    storage.setItem("graphiql:query", tabs[0]?.query ?? "");
    storage.setItem("graphiql:variables", tabs[0]?.variables ?? "");
  }
  return storage;
}

// FNV-1a: the digests of crypto.subtle exist on https and localhost only, and plants use plain http as well.
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (const character of text) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  }
  return (hash >>> 0).toString(16);
}
