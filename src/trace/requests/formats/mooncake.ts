import type { CellOf, RequestFormat, TableLayout, TurnPrompts } from "../request-format.ts";

/** What a row may hold in place of a number of prompt tokens. */
const texts = ["text_input", "messages", "payload"];

/** AIPerf's words for what the prompt of a turn counts. */
const contextModes: ReadonlyMap<string, TurnPrompts> = new Map([
  ["message_array_with_responses", "whole"],
  ["deltas_without_responses", "added"],
]);

function contextMode(cell: CellOf): TurnPrompts | null {
  const mode = cell("context_mode");
  return typeof mode === "string" ? (contextModes.get(mode) ?? null) : null;
}

const layout = {
  timeUnit: "ms",
  unitVaries: true,
  untimed: true,
  blockTokens: 512,
  refuses: (cell: CellOf) => {
    const text = texts.find((key) => cell(key) !== undefined && cell(key) !== null);
    if (text !== undefined)
      return {
        at: text,
        expected: "input_length, the prompt's number of tokens",
        found: "text",
        hint: "count its tokens with the model's tokenizer",
      };
    if (cell("dependencies") !== undefined)
      return {
        at: "dependencies",
        expected: "requests that wait for answers, as wait_for and delay say it",
        hint: "waits for the start of another request are not simulated",
      };
    const mode = cell("context_mode");
    if (mode !== undefined && mode !== null && contextMode(cell) === null)
      return { at: "context_mode", expected: [...contextModes.keys()].join(" or "), found: mode };
    return null;
  },
  // A row of Dynamo that waits for others holds its whole context.
  turnPromptsOf: (cell: CellOf) => contextMode(cell) ?? (cell("wait_for") === undefined ? null : "whole"),
} as const satisfies Omit<TableLayout, "columns">;

const turns = { prefix: "hash_ids", session: "session_id", request: "request_id", after: "wait_for" };

/**
 * Mooncake traces (kvcache-ai/Mooncake, FAST 2025): times in milliseconds from the start, prefix blocks of 512 tokens.
 * The conversation trace is quantised to about 3 s. Others write the layout too: AIPerf with sessions and delays, Dynamo
 * with blocks of its engine's size and requests that wait for others.
 */
export const mooncake: RequestFormat = {
  about:
    "Mooncake JSONL: timestamp (ms), input_length, output_length, hash_ids; session_id, delay, wait_for of AIPerf and Dynamo",
  kind: "table",
  layouts: [
    {
      ...layout,
      columns: {
        arrival: "timestamp",
        prompt: "input_length",
        output: "output_length",
        wait: ["delay", "tool_wait_ms"],
        ...turns,
      },
      marks: [],
    },
    {
      ...layout,
      columns: {
        arrival: "timestamp",
        prompt: "input_tokens",
        output: "output_tokens",
        wait: ["delay_ms", "tool_wait_ms"],
        ...turns,
      },
      marks: ["hash_ids"],
    },
  ],
};
