import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from "@graphiql/plugin-doc-explorer";
import { GraphiQLProvider } from "@graphiql/react";
import type { Fetcher } from "@graphiql/toolkit";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import { useState } from "react";

import type { Configuration } from "./configuration";
import { Lines } from "./lines";
import type { openStorage } from "./storage";
import type { Tab } from "./tabs";

// The history plugin is left out: it writes the headers of every operation, keys included, to local storage.
const PLUGINS = [DOC_EXPLORER_PLUGIN];

interface ConsoleProperties {
  configuration: Configuration;
  fetcher: Fetcher;
  storage: ReturnType<typeof openStorage>;
  tabs: Tab[];
}

/** The whole page: the lines on top, and GraphiQL below them. */
export function Console({ configuration: { token, notice }, fetcher, storage, tabs }: ConsoleProperties) {
  const [hasKey, setHasKey] = useState(token !== undefined);

  return (
    <GraphiQLProvider
      fetcher={fetcher}
      storage={storage}
      plugins={PLUGINS}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      defaultTabs={tabs}
      defaultHeaders={token && JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2)}
      inputValueDeprecation
      schemaDescription
      shouldPersistHeaders={false}
    >
      <DocExplorerStore>
        <Lines notice={notice} hasKey={hasKey} />
        <GraphiQLInterface
          showPersistHeadersSettings={false}
          defaultEditorToolsVisibility={token ? "variables" : "headers"}
          onEditHeaders={(headers) => setHasKey((known) => known || /authorization/i.test(headers))}
        >
          <GraphiQL.Logo>Switchgear</GraphiQL.Logo>
        </GraphiQLInterface>
      </DocExplorerStore>
    </GraphiQLProvider>
  );
}
