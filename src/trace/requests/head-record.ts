import type { Json } from "../../core/json.ts";
import { endOfString } from "../../core/json-strings.ts";
import { type Column, valueAt } from "../column-map.ts";

/** Whether a text holds JSON objects, in lines or in an array, rather than cells. */
export const looksLikeJson = (head: string): boolean => /^(?:\[\s*)?\{/.test(head.trimStart());

/** What the first object of a text holds; of one that is longer than the text only the names of keys are known. */
export interface HeadRecord {
  has(column: Column): boolean;
  /** Whether it has a key, and no number under it. */
  hasText(key: string): boolean;
}

export function firstRecord(head: string): HeadRecord {
  const start = head.indexOf("{");
  const end = endOfObject(head, start);
  try {
    const record = JSON.parse(head.slice(start, end)) as { readonly [key: string]: Json };
    return {
      has: (column) => (valueAt(record, column) ?? null) !== null,
      hasText: (key) => (record[key] ?? null) !== null && typeof record[key] !== "number",
    };
  } catch {
    const seen = head.slice(start, end);
    const hasKey = (key: string) => seen.includes(`"${key}"`);
    return {
      has: ({ name, path }) => {
        const last = path.at(-1);
        return hasKey(name) || (last?.kind === "key" && hasKey(last.key));
      },
      hasText: hasKey,
    };
  }
}

/** Where the brackets that open at `start` are closed; the end of the text if it is cut before. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const char = text[i];
    if (char === '"') i = endOfString(text, i) - 1;
    else if (char === "{" || char === "[") depth++;
    else if ((char === "}" || char === "]") && --depth === 0) return i + 1;
  }
  return text.length;
}
