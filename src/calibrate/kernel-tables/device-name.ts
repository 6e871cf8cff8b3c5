import { basename } from "node:path";
import { own } from "../../core/own.ts";

/** Names that measurement tables give to devices, as parts of a normalised name, and the ids of their profiles. */
const known: readonly (readonly [part: string, id: string])[] = [
  ["gb300", "gb300"],
  ["gb200", "gb200"],
  ["b300", "b300-sxm"],
  ["b200", "b200-sxm"],
  ["h200", "h200-sxm"],
  ["h100-pcie", "h100-pcie"],
  ["h100-nvl", "h100-nvl"],
  ["h100", "h100-sxm"],
  ["h800", "h800"],
  ["h20", "h20"],
  ["a100-80gb-pcie", "a100-pcie"],
  ["a100-pcie-40gb", "a100-pcie-40gb"],
  ["a100-pcie", "a100-pcie"],
  ["a100-sxm4-40gb", "a100-sxm-40gb"],
  ["a100", "a100-sxm"],
  ["a800", "a800"],
  ["l40s", "l40s"],
  ["rtx-pro-6000", "rtx-pro-6000"],
  ["geforce-rtx-3060", "rtx-3060"],
  ["geforce-rtx-3090", "rtx-3090"],
  ["geforce-rtx-4070", "rtx-4070"],
  ["geforce-rtx-4080", "rtx-4080"],
  ["geforce-rtx-4090", "rtx-4090"],
  ["geforce-rtx-5090", "rtx-5090"],
];

/** Id of the device profile behind the name a table gives (`h200_sxm`, `NVIDIA H100 80GB HBM3`); else the name itself. */
export function deviceIdOf(name: string): string {
  const normal = name
    .toLowerCase()
    .replace(/[\s_]+/g, "-")
    .replace(/^nvidia-/, "");
  return known.find(([part]) => normal === part || normal.startsWith(`${part}-`))?.[1] ?? normal;
}

/** What a file name of the form `<system>__...` says about the device; null for other names. */
export function deviceOfFile(file: string): string | null {
  const [system, ...rest] = basename(file).split("__");
  return system === undefined || system === "" || rest.length === 0 ? null : deviceIdOf(system);
}

const engines: Readonly<Record<string, string>> = {
  vllm: "vllm",
  sglang: "sglang",
  trtllm: "tensorrt-llm",
  "tensorrt-llm": "tensorrt-llm",
};

/** Id of the serving engine behind the name a table gives; else the name in lower case. */
export function engineIdOf(name: string): string {
  const normal = name.toLowerCase();
  return own(engines, normal) ?? normal;
}

/** Engine and version in a file name of the form `<system>__<engine>-<version>[__<table>].csv[.gz]`; null for others. */
export function engineOfFile(file: string): { readonly engine: string; readonly version: string } | null {
  const part = basename(file)
    .replace(/\.csv(\.gz)?$/, "")
    .split("__")[1];
  const [, name, version] = /^([a-z][a-z_]*)-(.+)$/i.exec(part ?? "") ?? [];
  return name === undefined || version === undefined ? null : { engine: engineIdOf(name), version };
}
