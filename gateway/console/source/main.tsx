import "graphiql/setup-workers/vite";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "graphiql/graphiql.css";
import "./console.css";

import { createRoot } from "react-dom/client";

import { readConfiguration } from "./configuration";
import { Console } from "./console";
import { createFetcher } from "./fetcher";
import { openStorage } from "./storage";
import { openingTabs } from "./tabs";

const configuration = readConfiguration();
const tabs = openingTabs(configuration);

createRoot(document.getElementById("console")!).render(
  <Console
    configuration={configuration}
    fetcher={createFetcher(configuration)}
    storage={openStorage(configuration, tabs)}
    tabs={tabs}
  />,
);
