/** Read the results of a subscription from an answer of server-sent events, as they come. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (text + decoder.decode(value, { stream: true })).split("\n\n");
      text = events.pop()!;
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event);
        if (event.startsWith("event: complete")) return;
        if (data) yield JSON.parse(data[1]!);
      }
    }
  } finally {
    // Also when the Stop button was pressed: the gateway then stops as well.
    await reader.cancel();
  }
}
