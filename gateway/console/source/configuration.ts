/** An operation that the page opens in a tab of its own; the tab is named after the operation. */
export interface Example {
  /** What it shows, in a few words; it becomes a comment above the operation. */
  title?: string;
  query: string;
  variables?: Record<string, unknown>;
}

/** What the gateway tells the page. Every key may be missing. */
export interface Configuration {
  endpoint?: string;
  /** An API key that the page may use without asking, as in the demo. */
  token?: string;
  examples?: Example[];
  /** One sentence to show on top of the page. */
  notice?: string;
}

/** Read the JSON that the gateway has put into the page. */
export function readConfiguration(): Configuration {
  return JSON.parse(document.getElementById("switchgear-configuration")!.textContent!);
}
