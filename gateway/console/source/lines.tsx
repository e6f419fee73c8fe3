import { pick, useGraphiQL, useGraphiQLActions } from "@graphiql/react";

interface LinesProperties {
  notice?: string;
  hasKey: boolean;
}

/** The lines above the editors: the gateway's notice, the missing key, and why there is no schema. */
export function Lines({ notice, hasKey }: LinesProperties) {
  const { fetchError } = useGraphiQL(pick("fetchError"));
  const { introspect } = useGraphiQLActions();

  return (
    <header>
      {notice && <p className="line">{notice}</p>}
      {!hasKey && (
        <p className="line">
          Put an API key in the Headers pane: <code>{'{"Authorization": "Bearer sgc_..."}'}</code>. It serves every
          tab and is forgotten with this page.
        </p>
      )}
      {fetchError && (
        <p className="line line-problem" role="alert">
          The schema could not be loaded: {readable(fetchError)}
          <button type="button" onClick={introspect}>
            Load it again
          </button>
        </p>
      )}
    </header>
  );
}

/** Take the messages out of an answer that GraphiQL has kept as JSON text. */
function readable(fetchError: string): string {
  const { errors = [] } = JSON.parse(fetchError) as { errors?: { message: string }[] };
  return errors.map(({ message }) => message).join("; ") || fetchError;
}
