import { engineIdOn, engineNamed } from "../../../src/engine/catalogue.ts";
import { nodeNamed } from "../../../src/hardware/named-profiles.ts";
import { modelNamed } from "../../../src/models/catalogue.ts";
import type { ModelSpec } from "../../../src/models/spec.ts";
import type { Deployment } from "../../../src/resolve/start-up/start-up-rule.ts";
import { startUpFindings } from "../../../src/resolve/start-up/start-up-rules.ts";
import type { Mapping } from "../../../src/sim/mapping.ts";
import { singleDevice } from "../../sim/build.ts";

/** Parts of a deployment as a table of cases writes them. */
export interface Case {
  readonly model?: string | ModelSpec;
  readonly formats?: Partial<Deployment["formats"]>;
  readonly system?: string;
  readonly engine?: string;
  readonly version?: string;
  readonly mapping?: Partial<Mapping>;
  readonly scheduler?: Partial<Deployment["scheduler"]>;
  readonly more?: Partial<Deployment>;
}

/** A deployment of the catalogue: Qwen3-30B-A3B as released on one H100 under vLLM, where nothing else is said. */
export function deploymentOf(parts: Case): Deployment {
  const { system = "h100-sxm-8", version } = parts;
  const model = typeof parts.model === "object" ? parts.model : modelNamed(parts.model ?? "qwen3-30b-a3b");
  const node = nodeNamed(system);
  const engine = engineNamed(engineIdOn(node.device.platform, parts.engine ?? "vllm"), version);
  return {
    model,
    formats: { ...model.formats, ...parts.formats },
    kvFormat: model.kvFormat,
    node,
    engine,
    mapping: { ...singleDevice, ...parts.mapping },
    scheduler: { ...engine.defaults, contextTokensMax: model.contextTokensMax, ...parts.scheduler },
    speculation: null,
    ...parts.more,
  };
}

/** Places of what the engine refuses, and of what is noted. */
export function refusedAt(parts: Case): string[] {
  return startUpFindings(deploymentOf(parts)).flatMap(({ severity, at }) => (severity === "refusal" ? [at] : []));
}
export function notedAt(parts: Case): string[] {
  return startUpFindings(deploymentOf(parts)).flatMap(({ severity, at }) => (severity === "warning" ? [at] : []));
}
