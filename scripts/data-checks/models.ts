import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { InvalidInputError } from "../../src/core/errors.ts";
import { canonicalJson } from "../../src/core/json.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import { parseConfigText } from "../../src/models/config-text.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import type { ModelSpec } from "../../src/models/spec.ts";
import type { CheckLine } from "./check-line.ts";

/** Released files that have the shape of a catalogue entry. */
const released: Readonly<Record<string, string>> = {
  "deepseek-moe-16b": "deepseek-ai--deepseek-moe-16b-base",
  "deepseek-r1": "deepseek-ai--DeepSeek-R1",
  "deepseek-v2-lite": "deepseek-ai--DeepSeek-V2-Lite",
  "deepseek-v3": "deepseek-ai--DeepSeek-V3",
  "deepseek-v4-flash": "deepseek-ai--DeepSeek-V4-Flash",
  "glm-5": "zai-org--GLM-5",
  "gpt-oss-120b": "openai--gpt-oss-120b",
  "gpt-oss-20b": "openai--gpt-oss-20b",
  "kimi-k2": "moonshotai--Kimi-K2-Instruct",
  "llama-4-scout": "meta-llama--Llama-4-Scout-17B-16E-Instruct",
  "minimax-m2.5": "MiniMaxAI--MiniMax-M2.5",
  "mixtral-8x22b": "mistralai--Mixtral-8x22B-v0.1",
  "mixtral-8x7b": "mistralai--Mixtral-8x7B-v0.1",
  "nemotron-3-nano-30b-a3b": "nvidia--NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
  "olmoe-1b-7b": "allenai--OLMoE-1B-7B-0125-Instruct",
  "phi-3.5-moe": "microsoft--Phi-3.5-MoE-instruct",
  "qwen1.5-moe-a2.7b": "Qwen--Qwen1.5-MoE-A2.7B",
  "qwen3-235b-a22b": "Qwen--Qwen3-235B-A22B",
  "qwen3-30b-a3b": "Qwen--Qwen3-30B-A3B",
  "qwen3-next-80b-a3b": "Qwen--Qwen3-Next-80B-A3B",
  "qwen3.5-397b-a17b": "Qwen--Qwen3.5-397B-A17B",
};

/** Architectures that cannot be expressed, by the start of the file's name. */
const refusable = ["google--switch-base", "jetmoe--"];

/** Names round: the largest difference seen is that of Nemotron-3-Nano-30B, which holds 31.6B. */
const nameTolerance = 0.06;

const billions = (count: number): string => `${(count / 1e9).toFixed(2)}B`;

function load(folder: string, base: string): ModelSpec {
  const read = (name: string): ReturnType<typeof parseConfigText> =>
    parseConfigText(readFileSync(join(folder, name), "utf8"), name);
  const quantName = `${base}.hf_quant_config.json`;
  return resolveConfig(read(`${base}.json`), {
    file: `${base}.json`,
    ...(existsSync(join(folder, quantName)) ? { quantConfig: read(quantName) } : {}),
  }).spec;
}

function checkConfig(folder: string, base: string): CheckLine {
  const named = /(\d+(?:\.\d+)?)B-A\d/i.exec(base)?.[1];
  const size = named === undefined ? null : Number(named) * 1e9;
  const mayRefuse = refusable.some((start) => base.startsWith(start));
  const expected = mayRefuse
    ? "refused: unsupported architecture"
    : size === null
      ? "resolves"
      : `${billions(size)} +-6 %`;
  try {
    const { total, active } = parametersOf(load(folder, base));
    const plausible = size === null || Math.abs(total - size) <= nameTolerance * size;
    const found = `${billions(total)} in all, ${billions(active)} a token`;
    return { name: base, expected, found, ok: plausible && !mayRefuse };
  } catch (error) {
    const clear = error instanceof InvalidInputError;
    return { name: base, expected, found: (error as Error).message, ok: mayRefuse && clear };
  }
}

/** A spec without what names and where it came from. */
function shape(spec: ModelSpec): string {
  return canonicalJson({ ...spec, id: "", name: "", provenance: {} });
}

function checkCatalogue(folder: string, id: string, base: string): CheckLine {
  const ours = modelNamed(id);
  const theirs = load(folder, base);
  const ok = shape(ours) === shape(theirs);
  const size = billions(parametersOf(theirs).total);
  return {
    name: `catalogue ${id}`,
    expected: `the spec of ${base}`,
    found: ok ? `equal, ${size}` : "another spec",
    ok,
  };
}

/**
 * Every released config.json resolves to a size that fits its name or is refused for its architecture, and the catalogue
 * has the specs of the same models. Takes the folder that holds the set `configs`, or that folder.
 */
export const modelsCheck = {
  name: "models",
  folders: ["configs"],
  run: async (folder: string): Promise<CheckLine[]> => {
    const configs = basename(folder) === "configs" ? folder : join(folder, "configs");
    const bases = readdirSync(configs)
      .filter((name) => name.endsWith(".json") && !name.endsWith(".hf_quant_config.json"))
      .map((name) => name.slice(0, -".json".length))
      .sort();
    const lines = bases.map((base) => checkConfig(configs, base));
    const refused = lines.filter(({ expected }) => expected.startsWith("refused")).length;
    const wrong = lines.filter(({ ok }) => !ok).length;
    return [
      ...lines,
      {
        name: "released configs",
        expected: `${bases.length} resolved or refused for their architecture`,
        found: `${bases.length - refused - wrong} resolved, ${refused} refused, ${wrong} wrong`,
        ok: wrong === 0,
      },
      ...Object.entries(released)
        .filter(([, base]) => bases.includes(base))
        .map(([id, base]) => checkCatalogue(configs, id, base)),
    ];
  },
};
