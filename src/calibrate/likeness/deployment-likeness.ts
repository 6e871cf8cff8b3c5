import { storageFormats } from "../../core/dtype.ts";
import { formatCount, formatNumber } from "../../core/units.ts";
import { engineIdOn } from "../../engine/catalogue.ts";
import { deviceIds, nodeNamed } from "../../hardware/named-profiles.ts";
import { parametersOf } from "../../models/parameters.ts";
import { poolsOf, type SimConfig } from "../../sim/config.ts";
import { devicesOf, moeShape } from "../../sim/mapping.ts";
import type { StatedDeployment } from "../measured/measured-benchmark.ts";
import { billionsIn, hasSize } from "../measured/named-size.ts";
import { engineOf, modelOf, ofOtherFamily, systemOf } from "../measured/names.ts";
import { type Likeness, LikenessNotes } from "./likeness.ts";
import { sameModel } from "./same-model.ts";
import { statedBits } from "./stated-bits.ts";
import { statedDevices } from "./stated-device.ts";

type Check = (config: SimConfig, stated: StatedDeployment, notes: LikenessNotes) => void;

/** Whether a measurement was made on the deployment of a scenario, by all that it states of it. */
export function deploymentLikeness(config: SimConfig, stated: StatedDeployment): Likeness {
  const notes = new LikenessNotes();
  for (const check of checks) check(config, stated, notes);
  return notes;
}

/** Parts outside the language model, and modules that only some count. */
const parametersRatio = 1.05;

const checkParameters: Check = ({ model }, { parameters }, notes) => {
  if (parameters === null) return;
  const { total } = parametersOf(model);
  if (parameters > parametersRatio * total || total > parametersRatio * parameters)
    notes.differs(
      "model",
      `${model.id} with ${formatCount(total)} parameters`,
      `${formatCount(parameters)} parameters`,
    );
};

/** Servers may call a model what they like: a name that is not known counts by the sizes in it. */
const checkModel: Check = ({ model }, { model: name, parameters }, notes) => {
  if (name === null) {
    if (parameters === null) notes.assume(`the measurement names no model: taken for one of ${model.id}`);
    return;
  }
  const { id } = modelOf(name);
  if (id !== null) {
    if (!sameModel(id, model)) notes.differs("model", model.id, name);
    return;
  }
  const sizes = billionsIn(name);
  if (ofOtherFamily(name, model.id) || sizes.some((billions) => !hasSize(model, billions))) {
    const { total, active } = parametersOf(model);
    const own = `${formatCount(total)} parameters, ${formatCount(active)} of them active`;
    notes.differs("model", `${model.id} (${own})`, name);
  } else if (parameters === null) {
    const known = sizes.length > 0 ? ", whose size it names" : "";
    notes.assume(`"${name}" is no model known here: taken for ${model.id}${known}`);
  }
};

const checkPrecision: Check = ({ model, formats }, { precision, model: name }, notes) => {
  const weights = moeShape(model) === null ? formats.dense : formats.experts;
  const bits = statedBits(precision ?? name ?? "");
  if (bits === null) {
    if (precision !== null) notes.assume(`"${precision}" is no precision known here: taken for ${weights}`);
    return;
  }
  const own = Math.floor(storageFormats[weights].bitsPerValue);
  if (Math.abs(bits.value - own) > bits.reach) notes.differs("precision", `weights in ${weights}`, precision ?? name);
};

const checkDevice: Check = ({ node }, { device }, notes) => {
  const own = node.device;
  if (device === null || sameWords(device, own.name)) return;
  const { id } = systemOf(device);
  const named = id === null ? devicesNamed(device, own.id) : [nodeNamed(id).device.id];
  if (named === null) notes.assume(`"${device}" is no device known here: taken for ${own.id}`);
  else if (!named.includes(own.id)) notes.differs("device", own.id, device);
};

/** What a name means beside a device of the catalogue; a device of the user's own may have any name. */
const devicesNamed = (name: string, own: string): readonly string[] | null =>
  deviceIds.includes(own) ? statedDevices(name) : null;

const sameWords = (a: string, b: string): boolean => wordsOf(a) === wordsOf(b);
const wordsOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, " ")
    .trim();

const checkDevices: Check = ({ mapping, replicas }, { devices }, notes) => {
  const own = devicesOf(mapping) * replicas;
  if (devices !== null && devices !== own) notes.differs("devices", formatNumber(own), devices);
};

const checkEngine: Check = ({ engine, node }, { engine: name }, notes) => {
  if (name === null) return;
  const { id } = engineOf(name);
  if (id === null) notes.assume(`"${name}" is no serving engine known here: taken for ${engine.id}`);
  // The name of an engine stands for its build on the device.
  else if (engineIdOn(node.device.platform, id) !== engine.id) notes.differs("engine", engine.id, name);
};

const checkDrafting: Check = ({ speculation }, { drafting }, notes) => {
  if (drafting === null) return;
  if ((drafting.toLowerCase() === "none") !== (speculation === null))
    notes.differs("drafting", speculation === null ? "no speculative decoding" : "speculative decoding", drafting);
};

const checkPools: Check = (config, { disaggregated }, notes) => {
  if (disaggregated === null) return;
  if (disaggregated !== poolsOf(config).length > 1)
    notes.differs(
      "pools",
      disaggregated ? "one pool" : "pools for prompts and answers",
      disaggregated ? "disaggregated" : "one pool",
    );
};

const checks: readonly Check[] = [
  checkModel,
  checkParameters,
  checkPrecision,
  checkDevice,
  checkDevices,
  checkEngine,
  checkDrafting,
  checkPools,
];
