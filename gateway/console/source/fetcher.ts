import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import { type DocumentNode, getOperationAST } from "graphql";

import type { Configuration } from "./configuration";
import { readEvents } from "./events";

const SHOWN_RESULTS = 50;

/**
 * Make the function that sends an operation to the gateway.
 *
 * A key typed into the Headers pane of one tab serves every tab, and is held in memory only. Whatever goes
 * wrong comes back as a GraphQL error with a sentence to read, never as an exception with a stack. A
 * subscription is followed as a stream of events until it is stopped.
 */
export function createFetcher({ endpoint = "/graphql", token }: Configuration): Fetcher {
  let authorization = token ? `Bearer ${token}` : null;

  return async (operation, options) => {
    try {
      const headers = new Headers(options?.headers);
      authorization = headers.get("Authorization") ?? authorization;
      if (authorization) headers.set("Authorization", authorization);
      const isFollowed = isSubscription(operation, options?.documentAST);
      headers.set(
        "Accept",
        isFollowed ? "text/event-stream" : "application/graphql-response+json, application/json;q=0.9",
      );
      headers.set("Content-Type", "application/json");
      const response = await fetch(endpoint, { method: "POST", headers, body: JSON.stringify(operation) });
      const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream");
      return isStream ? newestFirst(readEvents(response.body!)) : await readAnswer(response);
    } catch (error) {
      return failure(`The operation could not be sent to ${endpoint}: ${(error as Error).message}`);
    }
  };
}

/** Show the last results of a subscription together, because GraphiQL keeps only what came last. */
async function* newestFirst(results: AsyncIterable<unknown>) {
  let shown: unknown[] = [];
  for await (const result of results) {
    shown = [result, ...shown].slice(0, SHOWN_RESULTS);
    yield { newestFirst: shown };
  }
}

function isSubscription({ operationName }: FetcherParams, document: DocumentNode | undefined): boolean {
  return document !== undefined && getOperationAST(document, operationName)?.operation === "subscription";
}

async function readAnswer(response: Response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return failure(`The answer was not JSON but ${response.status} ${response.statusText}: ${text.slice(0, 300)}`);
  }
}

function failure(message: string) {
  return { errors: [{ message }] };
}
