import type { Configuration, Example } from "./configuration";

/** A tab as GraphiQL takes it. */
export interface Tab {
  query: string;
  variables?: string;
}

const WELCOME = `# Ctrl-Space completes, Ctrl-Enter runs,
# the book on the left shows every type.

{
  __typename
}
`;

/** Give the tabs of a first visit: one for each example, or one that says how to begin. */
export function openingTabs({ examples = [] }: Configuration): Tab[] {
  return examples.length > 0 ? examples.map(asTab) : [{ query: WELCOME }];
}

function asTab({ title, query, variables }: Example): Tab {
  return {
    query: title ? `# ${title}\n${query}` : query,
    variables: variables && JSON.stringify(variables, null, 2),
  };
}
