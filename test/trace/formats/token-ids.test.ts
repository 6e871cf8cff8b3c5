import { describe, expect, test } from "vitest";
import { parseColumnMap } from "../../../src/trace/column-map.ts";
import { openRoutingTrace } from "../../../src/trace/container/open-trace.ts";
import type { ImportOptions } from "../../../src/trace/formats/importer.ts";
import { idsOf, rowTokens } from "../../../src/trace/formats/row-tokens.ts";
import { tableFields } from "../../../src/trace/formats/table/fields.ts";
import { loadRoutingTable } from "../../../src/trace/load-routing.ts";
import { saveRoutingTable } from "../../../src/trace/save-routing.ts";
import { npy, npz, temporaryFolder } from "../routing-files.ts";
import { column, openedIn, recording } from "./opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);
const list = (...values: number[]) => npy(Int32Array.from(values), [values.length]);
const ids = (rows: number) => npy(Int16Array.from(recording(1, rows, 2, 16, 2)), [rows, 2, 2]);

/** Ids of tokens that an import gives; null where it gives none. */
async function tokensOf(arrays: Readonly<Record<string, Uint8Array>>): Promise<number[] | null> {
  const { file } = await open([folder.write("r.npz", npz(arrays))], { experts: 16 });
  const found = file.columns.includes("token") ? await column(file, "token") : null;
  await file.close();
  return found;
}

describe("arrays beside returned routed experts", () => {
  const prompt = list(901, 902, 903, 904);

  test("give the token of each row: those of the prompt, then those of the output that were fed back", async () => {
    const output = list(11, 12, 13);
    expect(await tokensOf({ routed_experts: ids(6), prompt_token_ids: prompt, output_token_ids: output })).toEqual([
      901, 902, 903, 904, 11, 12,
    ]);
    expect(await tokensOf({ routed_experts: ids(4), input_ids: prompt })).toEqual([901, 902, 903, 904]);
    // Rows of the output alone, the last token of which was not fed back.
    expect(await tokensOf({ routed_experts: ids(2), prompt_token_ids: prompt, output_token_ids: output })).toEqual([
      11, 12,
    ]);
    const numbers = { num_prompt_tokens: npy(Int32Array.of(40), []), output_token_ids: output };
    expect(await tokensOf({ routed_experts: ids(2), ...numbers })).toEqual([11, 12]);
  });

  test("of one list for all rows, whether there is one text or several", async () => {
    expect(await tokensOf({ expert_ids: ids(4), token_ids: list(7, 0, 151_000, 7) })).toEqual([7, 0, 151_000, 7]);
    const two = npy(Int16Array.from(recording(1, 6, 2, 16, 2)), [2, 3, 2, 2]);
    const matrix = npy(Int32Array.from([1, 2, 3, 4, 5, 6]), [2, 3]);
    expect(await tokensOf({ expert_ids: two, token_ids: matrix })).toEqual([1, 2, 3, 4, 5, 6]);
    const whole = list(901, 902, 903, 904, 11);
    expect(await tokensOf({ routed_experts: ids(5), prompt_token_ids: prompt, token_ids: whole })).toEqual([
      901, 902, 903, 904, 11,
    ]);
  });

  test("of a prompt and of what goes on behind it, in two arrays", async () => {
    const parts = { prompt_routed_experts: ids(4), routed_experts: ids(2) };
    const output = list(11, 12, 13);
    expect(await tokensOf({ ...parts, prompt_token_ids: prompt, output_token_ids: output })).toEqual([
      901, 902, 903, 904, 11, 12,
    ]);
    expect(await tokensOf({ ...parts, prompt_token_ids: list(1, 2, 3), output_token_ids: output })).toBeNull();
    expect(await tokensOf({ ...parts, prompt_token_ids: prompt })).toBeNull();
  });

  test("are not taken where a row may be of one token or its neighbour, or of nobody", async () => {
    const output = list(11, 12, 13);
    // As many rows as output: those that gave the tokens, or those that were fed back.
    expect(await tokensOf({ routed_experts: ids(3), prompt_token_ids: prompt, output_token_ids: output })).toBeNull();
    expect(await tokensOf({ routed_experts: ids(5), prompt_token_ids: prompt })).toBeNull();
    const lengths = { num_prompt_tokens: npy(Int32Array.of(4), []), num_output_tokens: npy(Int32Array.of(3), []) };
    expect(await tokensOf({ routed_experts: ids(6), ...lengths })).toBeNull();
    expect(await tokensOf({ routed_experts: ids(6), temperature: list(0) })).toBeNull();
    expect(await tokensOf({ routed_experts: ids(3), prompt_token_ids: prompt, token_ids: output })).toBeNull();
  });

  test("place rows as they did without ids", () => {
    const of = { prompt: 4, promptIds: null, output: 3, outputIds: null };
    expect(rowTokens(6, of)).toEqual({ promptRows: 4, firstPosition: 0, tokens: null });
    expect(rowTokens(3, of)).toEqual({ promptRows: 0, firstPosition: 4, tokens: null });
    expect(rowTokens(5, of)).toBeNull();
    expect(idsOf(2, 3, { ...of, promptIds: Int32Array.of(1, 2, 3, 4), outputIds: Int32Array.of(5, 6) })).toEqual(
      Int32Array.of(4, 5),
    );
  });
});

describe("a table with a column of vocabulary ids", () => {
  const mapped = (text: string): ImportOptions => ({ experts: 16, map: parseColumnMap(text, tableFields).map });
  const csv = (tokenOf: (token: number, layer: number) => number | string, name = "token_id") =>
    [
      `request,token,layer,experts,${name}`,
      ...[0, 1].flatMap((request) =>
        [0, 1, 2].flatMap((token) =>
          [3, 4].map(
            (layer) =>
              `${request},${token},${layer},${token + layer} ${token + 9},${tokenOf(10 * request + token, layer)}`,
          ),
        ),
      ),
    ].join("\n");
  const base = "request=request,token=token,layer=layer,experts=experts";
  const path = (text: string) => folder.write("t.csv", Buffer.from(text));

  test("keeps them value for value, through the container and a table that is saved again", async () => {
    const { file } = await open([path(csv((token) => 100_000 + token))], mapped(`${base},tokenId=token_id`));
    expect(await column(file, "token")).toEqual([100_000, 100_001, 100_002, 100_010, 100_011, 100_012]);
    const table = await loadRoutingTable(file);
    await file.close();
    await saveRoutingTable(table, "model", folder.path("again.safetensors"));
    const opened = await openRoutingTrace(folder.path("again.safetensors"));
    const loaded = await loadRoutingTable(opened);
    await opened.close();
    expect(loaded.tokens).toEqual(table.tokens);
    expect([...table.tokens!]).toEqual([100_000, 100_001, 100_002, 100_010, 100_011, 100_012]);
    expect(loaded.ids).toEqual(table.ids);
  });

  test("reads them by a name without doubt, and a column token_id only where it is told to", async () => {
    const columns = async (text: string, options: ImportOptions) => {
      const { file } = await open([path(text)], options);
      const { columns: found } = file;
      await file.close();
      return found;
    };
    const named = csv((token) => token, "vocab_id");
    expect(await columns(named, { experts: 16 })).toContain("token");
    expect(
      await columns(
        csv((token) => token),
        { experts: 16 },
      ),
    ).not.toContain("token");
  });

  test("refuses ids that differ between the layers of a token, and what is no id", async () => {
    const problemOf = (text: string) => open([path(text)], mapped(`${base},tokenId=token_id`));
    await expect(problemOf(csv((token, layer) => token + layer))).rejects.toThrow(
      "vocabulary id of a token in all layers",
    );
    await expect(problemOf(csv((token) => (token === 11 ? "the" : token)))).rejects.toThrow("tokenId");
  });
});
