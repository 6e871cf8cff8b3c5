import { fileURLToPath } from "node:url";
import { version } from "../../../core/version.ts";
import { localFiles } from "../../../files/local-files.ts";
import type { Check } from "../check.ts";

/** The least Node that package.json asks for, as `>=20.19`. */
async function leastNode(): Promise<string> {
  // Beside `src` in a checkout, and beside `dist` in an installation.
  const { engines } = JSON.parse(
    await localFiles.readText(fileURLToPath(new URL("../../../../package.json", import.meta.url))),
  ) as {
    readonly engines: { readonly node: string };
  };
  return engines.node.replace(/^>=/, "");
}

/** Whether a version is at least another, part by part. */
export function isAtLeast(found: string, least: string): boolean {
  const parts = (text: string) => text.split(".").map((part) => Number.parseInt(part, 10));
  const [a, b] = [parts(found), parts(least)];
  for (let i = 0; i < b.length; i++) {
    const [have, need] = [a[i] ?? 0, b[i] ?? 0];
    if (have !== need) return have > need;
  }
  return true;
}

/** moecast and the Node that runs it. */
export const node: Check = {
  title: "Program",
  look: async () => {
    const [found, least] = [process.versions.node, await leastNode()];
    return [
      { topic: "moecast", state: "ok", text: version },
      isAtLeast(found, least)
        ? { topic: "Node", state: "ok", text: `${found}, at least ${least} is needed` }
        : { topic: "Node", state: "problem", text: `${found} is too old`, advice: `install Node ${least} or newer` },
    ];
  },
};
