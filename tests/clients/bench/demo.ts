// The demo that the tests ask, and what they may not hear: a warning of a client.
import { after, before } from "node:test";
import assert from "node:assert/strict";

function given(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set`);
  return value;
}

export const url = given("DEMO_URL");
export const token = given("DEMO_TOKEN");

async function trouble(mode: string): Promise<void> {
  const answer = await fetch(given("DEMO_FAULTS"), { method: "PUT", body: JSON.stringify({ mode }) });
  assert(answer.ok);
}

/** Ask while the system sap-us fails. */
export async function whileBroken<T>(ask: () => Promise<T>): Promise<T> {
  await trouble("error");
  try {
    return await ask();
  } finally {
    await trouble("none");
  }
}

/** Fail where a client warns, as they do of a cache that loses data. */
export function hearWarnings(): void {
  const warnings: unknown[][] = [];
  const { warn, error } = console;
  before(() => {
    console.warn = console.error = (...words: unknown[]) => void warnings.push(words);
  });
  after(() => {
    Object.assign(console, { warn, error });
    assert.deepEqual(warnings, []);
  });
}

export function ids(edges: readonly { readonly node: { readonly id: string } }[] | undefined): string[] {
  return (edges ?? []).map(({ node }) => node.id);
}
