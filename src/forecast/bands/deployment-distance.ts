import type { StorageFormat } from "../../core/dtype.ts";
import { sharesKernels } from "../../hardware/architectures.ts";
import { parametersOf } from "../../models/parameters.ts";
import type { ModelSpec } from "../../models/spec.ts";

/** What errors of a forecast depend on: model, device, engine, layout and format of a deployment. */
export interface DeploymentTraits {
  readonly model: ModelTraits;
  /** Id of the device. */
  readonly device: string;
  /** Id of the engine. */
  readonly engine: string;
  readonly version: string;
  readonly tp: number;
  readonly dp: number;
  readonly ep: number;
  /** Storage format of the expert weights. */
  readonly weights: StorageFormat;
}

interface ModelTraits {
  readonly id: string;
  /** The `model_type` of its config.json: models of one family run the same kernels on other shapes. */
  readonly family: string;
  readonly parameters: number;
  readonly activeParameters: number;
}

export function modelTraits(model: ModelSpec): ModelTraits {
  const { total, active } = parametersOf(model);
  return { id: model.id, family: model.modelType, parameters: total, activeParameters: active };
}

/** One way in which two deployments differ, in words, and how far it takes them apart. */
interface Attribute {
  readonly steps: number;
  differs(here: DeploymentTraits, there: DeploymentTraits): boolean;
  words(here: DeploymentTraits, there: DeploymentTraits): string;
}

/** Models whose parameters, or active ones, differ by more than this factor are of another size. */
const sizeFactor = 2;
const apart = (a: number, b: number) => Math.max(a, b) > sizeFactor * Math.min(a, b);

/** `0.19` stands for every `0.19.x`. */
const sameVersion = (a: string, b: string) => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);

const layout = ({ tp, dp, ep }: DeploymentTraits) => `tp${tp} dp${dp} ep${ep}`;
const degree = (key: "tp" | "dp" | "ep"): Attribute => ({
  steps: 1,
  differs: (here, there) => here[key] !== there[key],
  words: (here, there) => `layout (${layout(here)}, there ${layout(there)})`,
});

/**
 * Steps are a judgement, not a fit, and choose the setup that is named, no band: half of the error of an engine nobody
 * measured is its kernel overhead, and kernel maps do not carry over to another architecture, so either is further than a model
 * of another family and size.
 */
const attributes: readonly Attribute[] = [
  { steps: 1, differs: (here, there) => here.model.id !== there.model.id, words: () => "model" },
  { steps: 1, differs: (here, there) => here.model.family !== there.model.family, words: () => "model family" },
  {
    steps: 1,
    differs: ({ model: here }, { model: there }) =>
      apart(here.parameters, there.parameters) || apart(here.activeParameters, there.activeParameters),
    words: () => "model size",
  },
  { steps: 1, differs: (here, there) => here.device !== there.device, words: () => "device" },
  {
    steps: 3,
    differs: (here, there) => !sharesKernels(here.device, there.device),
    words: () => "device architecture",
  },
  { steps: 4, differs: (here, there) => here.engine !== there.engine, words: () => "engine" },
  {
    steps: 1,
    differs: (here, there) => !sameVersion(here.version, there.version),
    words: (here, there) =>
      here.engine === there.engine ? `engine version (${here.version}, there ${there.version})` : "engine",
  },
  degree("tp"),
  degree("dp"),
  degree("ep"),
  {
    steps: 1,
    differs: (here, there) => here.weights !== there.weights,
    words: (here, there) => `weight format (${here.weights}, there ${there.weights})`,
  },
];

/** Steps between two deployments: 0 for the same one, one or more for each attribute that differs. */
export function deploymentDistance(here: DeploymentTraits, there: DeploymentTraits): number {
  return attributes.reduce((sum, attribute) => sum + (attribute.differs(here, there) ? attribute.steps : 0), 0);
}

/** What differs between two deployments, in words, each once. */
export function deploymentDifferences(here: DeploymentTraits, there: DeploymentTraits): string[] {
  const words = attributes
    .filter((attribute) => attribute.differs(here, there))
    .map((attribute) => attribute.words(here, there));
  return [...new Set(words)];
}
