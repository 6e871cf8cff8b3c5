import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { drawn } from "../../../drawn.ts";
import { temporaryFolder } from "../../routing-files.ts";
import { openedIn } from "../opened.ts";
import { byLayer, type Choice, choicesOf, mapOf, randomRouting, shuffled, tokensOf } from "./written-tables.ts";

const folder = temporaryFolder();
const open = openedIn(folder);

interface Layout {
  readonly map: string;
  readonly write: (choices: readonly Choice[]) => string;
  /** Whether rows may come in any order; else token after token. */
  readonly anyOrder: boolean;
}

const rows = (header: string | null, lines: readonly (readonly (string | number)[])[], separator = ",", end = "\n") =>
  [...(header === null ? [] : [header]), ...lines.map((cells) => cells.join(separator))].join(end);
const facts = ({ request, token, layer, phase, step }: Choice) => [request, token, layer, phase, step];
const names = "domain=request,request=request,token=token,layer=layer,phase=phase,step=step";
const header = "request,token,layer,phase,step";
const each = (count: number, name: string) => Array.from({ length: count }, (_value, k) => `${name}${k}`).join(",");
const kOf = (choices: readonly Choice[]) => choices[0]!.ids.length;

const layouts: Record<string, Layout> = {
  "CSV with JSON lists in quotes": {
    map: `${names},experts=ids,weights=w`,
    write: (choices) =>
      rows(
        `${header},ids,w`,
        choices.map((c) => [...facts(c), `"${JSON.stringify(c.ids)}"`, `"${JSON.stringify(c.weights)}"`]),
      ),
    anyOrder: true,
  },
  "CSV with lists of spaces, a byte order mark and CRLF": {
    map: `${names},experts=ids,weights=w`,
    write: (choices) =>
      `\ufeff${rows(
        `${header},ids,w`,
        choices.map((c) => [...facts(c), c.ids.join(" "), c.weights.join(" ")]),
        ",",
        "\r\n",
      )}\r\n`,
    anyOrder: true,
  },
  "semicolons with lists of bars": {
    map: `${names},experts=ids,weights=w`,
    write: (choices) =>
      rows(
        `${header},ids,w`.replaceAll(",", ";"),
        choices.map((c) => [...facts(c), c.ids.join("|"), c.weights.join(" | ")]),
        ";",
      ),
    anyOrder: true,
  },
  "tabs without a header, with lists as Python prints them": {
    map: "domain=#1,request=#1,token=#2,layer=#3,phase=#4,step=#5,experts=#6,weights=#7",
    write: (choices) =>
      rows(
        null,
        choices.map((c) => [...facts(c), `(${c.ids.join(", ")},)`.replace(",,", ","), `[${c.weights.join(", ")}]`]),
        "\t",
      ),
    anyOrder: true,
  },
  "tabs with what PyTorch and NumPy print, under a commented header": {
    map: `${names},experts=ids,weights=w`,
    write: (choices) =>
      rows(
        `# ${header},ids,w`.replaceAll(",", "\t"),
        choices.map((c) => [
          ...facts(c),
          `tensor([${c.ids.join(", ")}], device='cuda:0')`,
          `[${c.weights.join("  ")}]`,
        ]),
        "\t",
      ),
    anyOrder: true,
  },
  "a column for each expert": {
    map: `${names},experts=e0+e1,weights=w0+w1`,
    write: (choices) =>
      rows(
        `${header},e0,w0,e1,w1`,
        choices.map((c) => [...facts(c), ...c.ids.flatMap((id, k) => [id, c.weights[k]!])]),
      ),
    anyOrder: true,
  },
  "columns that differ by a number": {
    map: `${names},experts=expert_[],weights=w[]`,
    write: (choices) =>
      rows(
        `${header},${each(kOf(choices), "expert_")},${each(kOf(choices), "w")}`,
        choices.map((c) => [...facts(c), ...c.ids.map((id) => `expert_${id}`), ...c.weights]),
      ),
    anyOrder: true,
  },
  "a column for each layer": {
    map: "domain=request,request=request,token=token,phase=phase,step=step,experts=layer_[layer],weights=gate_[layer]",
    write: (choices) => {
      const tokens = tokensOf(choices);
      const layers = tokens[0]!.map(({ layer }) => layer);
      return rows(
        ["request", "token", "phase", "step", ...layers.flatMap((layer) => [`layer_${layer}`, `gate_${layer}`])].join(
          ",",
        ),
        tokens.map(([first, ...more]) => {
          const c = first!;
          return [
            c.request,
            c.token,
            c.phase,
            c.step,
            ...[c, ...more].flatMap(({ ids, weights }) => [ids.join(" "), weights.join(" ")]),
          ];
        }),
      );
    },
    anyOrder: false,
  },
  "a row for each expert": {
    map: `${names},experts=expert,weights=weight`,
    write: (choices) =>
      rows(
        `${header},rank,expert,weight`,
        choices.flatMap((c) => c.ids.map((id, k) => [...facts(c), k, id, c.weights[k]!])),
      ),
    anyOrder: true,
  },
  "ids with their weights": {
    map: `${names},experts=chosen`,
    write: (choices) =>
      rows(
        `${header},chosen`,
        choices.map((c) => [...facts(c), c.ids.map((id, k) => `${id}:${c.weights[k]}`).join(" ")]),
      ),
    anyOrder: true,
  },
  "JSON lines": {
    map: `${names},experts=ids,weights=w`,
    write: (choices) => choices.map(({ ids, weights, ...c }) => JSON.stringify({ ...c, ids, w: weights })).join("\n"),
    anyOrder: true,
  },
  "JSON lines of lists": {
    map: "domain=#1,request=#1,token=#2,layer=#3,phase=#4,step=#5,experts=#6,weights=#7",
    write: (choices) => choices.map((c) => JSON.stringify([...facts(c), c.ids, c.weights])).join("\n"),
    anyOrder: true,
  },
  "JSON lines with nested objects and module names": {
    map: "domain=meta.req,request=meta.req,token=meta.at.token,layer=module,phase=meta.at.phase,step=meta.at.step,experts=routing.topk[].id,weights=routing.topk[].p",
    write: (choices) =>
      choices
        .map(({ ids, weights, request, token, phase, step, layer }) =>
          JSON.stringify({
            meta: { req: request, at: { token, phase, step } },
            module: `model.layers.${layer}.mlp.gate`,
            routing: { topk: ids.map((id, k) => ({ id, p: weights[k] })) },
          }),
        )
        .join("\n"),
    anyOrder: true,
  },
  "a JSON list on one line": {
    map: `${names},experts=ids,weights=w`,
    write: (choices) => JSON.stringify(choices.map(({ ids, weights, ...c }) => ({ ...c, ids, w: weights }))),
    anyOrder: true,
  },
  "a JSON line for each token, layers by key": {
    map: "domain=request,request=request,token=token,phase=phase,step=step,experts=layers[layer].ids,weights=layers[layer].w",
    write: (choices) =>
      tokensOf(choices)
        .map((token) => {
          const { request, token: number, phase, step } = token[0]!;
          const layers = Object.fromEntries(
            token.map(({ layer, ids, weights }) => [`layer_${layer}`, { ids, w: weights }]),
          );
          return JSON.stringify({ request, token: number, phase, step, layers });
        })
        .join("\n"),
    anyOrder: false,
  },
  "an indented document for each request": {
    map: "domain=id,request=id,token=tokens[].n,layer=tokens[].layers[].layer,phase=tokens[].phase,step=tokens[].step,experts=tokens[].layers[].experts,weights=tokens[].layers[].weights",
    write: (choices) =>
      [...new Set(choices.map(({ request }) => request))]
        .map((request) => {
          const tokens = tokensOf(choices.filter((choice) => choice.request === request)).map((own) => ({
            n: own[0]!.token,
            phase: own[0]!.phase,
            step: own[0]!.step,
            layers: own.map(({ layer, ids, weights }) => ({ layer, experts: ids, weights })),
          }));
          return JSON.stringify({ id: request, tokens }, null, 2);
        })
        .join("\n"),
    anyOrder: false,
  },
  "an indented list of requests, with lists by token and objects by layer": {
    map: "domain=id,request=id,phase=phase[],step=step[],experts=routing[token][layer],weights=gates[][]",
    write: (choices) =>
      JSON.stringify(
        [...new Set(choices.map(({ request }) => request))].map((request) => {
          const tokens = tokensOf(choices.filter((choice) => choice.request === request));
          const of = (value: (choice: Choice) => unknown) =>
            tokens.map((own) => Object.fromEntries(own.map((choice) => [choice.layer, value(choice)])));
          return {
            id: request,
            phase: tokens.map(([first]) => first!.phase),
            step: tokens.map(([first]) => first!.step),
            routing: of(({ ids }) => ids),
            gates: of(({ weights }) => weights),
          };
        }),
        null,
        1,
      ),
    anyOrder: false,
  },
};

const shapes = fc.record({
  seed: fc.nat(1e6),
  requests: fc.integer({ min: 1, max: 4 }),
  layers: fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 4 }).map((layers) => layers.sort((a, b) => a - b)),
  topK: fc.integer({ min: 1, max: 3 }),
  experts: fc.constantFrom(4, 64, 300),
});

for (const [name, { map, write, anyOrder }] of Object.entries(layouts))
  test(`${name}: what was written is read back`, async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.constantFrom("tokens", "layers", "any"), fc.boolean(), async (shape, order, gzip) => {
        const topK = map.includes("e0+e1") ? 2 : shape.topK;
        const choices = randomRouting(shape.seed, { ...shape, topK });
        const written =
          !anyOrder || order === "tokens"
            ? choices
            : order === "layers"
              ? byLayer(choices)
              : shuffled(choices, shape.seed);
        const text = write(written);
        const path = folder.write("table.txt", gzip ? gzipSync(text) : text);
        const { file, format } = await open([path], { map: mapOf(map), experts: shape.experts });
        expect(format).toBe("table");
        expect(file.header).toMatchObject({ experts: shape.experts, topK, layers: shape.layers });
        const read = await choicesOf(file);
        await file.close();
        const key = ({ request, token, layer }: Choice) =>
          `${request} ${String(token).padStart(3)} ${String(layer).padStart(3)}`;
        const sorted = (all: readonly Choice[]) => [...all].sort((a, b) => (key(a) < key(b) ? -1 : 1));
        expect(sorted(read)).toEqual(sorted(choices));
      }),
      { numRuns: drawn(3) },
    );
  });
