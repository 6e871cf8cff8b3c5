import { expect, test } from "vitest";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { minimal } from "../../scenario/example.ts";

const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

/** A lone request on eight H200; `pools` may set prefill and decode apart. */
async function run(model: string, prompt: number, pools = ""): Promise<ReturnType<typeof simulate>> {
  const text = minimal
    .replace("qwen3-30b-a3b", model)
    .replace("h100-sxm-8", "h200-sxm-8")
    .replace("requests: 100", "requests: 1")
    .replace("tokens: 100", `tokens: ${prompt}`)
    .replace("tokens: 10 ", "tokens: 2 ");
  return simulate((await resolveScenario(parseScenario(`${text}${pools}`, "test.yaml"), noFiles)).config);
}

const apart = `pools:
  - { name: prompts, role: prefill, parallel: { dp: 8, ep: 8 } }
  - { name: outputs, role: decode, parallel: { dp: 8, ep: 8 } }
handover: { firstToken: decodeStep }
`;

test.each(["deepseek-v3", "qwen3-235b-a22b", "gpt-oss-120b"])(
  "%s: computing the last prompt token again takes what a decode of that context takes",
  async (model) => {
    for (const prompt of [500, 8000]) {
      const { requests, handover } = await run(model, prompt, apart);
      const shorter = (await run(model, prompt - 1, "parallel: { dp: 8, ep: 8 }\n")).requests;
      const againNs = requests.firstTokenNs[0]! - handover!.arrivedNs[0]!;
      const decodeNs = shorter.lastTokenNs[0]! - shorter.firstTokenNs[0]!;
      expect(againNs / decodeNs).toBeCloseTo(1, 3);
    }
  },
);
