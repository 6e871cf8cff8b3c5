import type { Json } from "../../core/json.ts";
import type { ConfigReader } from "../config-reader.ts";

/** Keys inside a quantisation that say how weights are stored or computed with. */
const storage =
  /bits|group|block|type|dtype|format|scheme|precision|strategy|scale|zero|pack|quant|layer|module|config|target|ignore|exclude|skip|spars|dynamic|act|kv|cache|sym|expert|moe|head|embed/i;

/** Keys of any tool that say how a quantisation was made or where it came from. */
const provenance =
  /^(?:_?version|.*_version|producer|quant_method|meta|model_name_or_path|model_file_base_name|dataset|tokenizer|seqlen|nsamples|iters|lr|minmax_lr|batch_size|gradient_accumulate_steps|low_gpu_mem_usage|low_cpu_mem_usage|observer|observer_kwargs|quantization_status|global_compression_ratio|amp|seed)$/;

/** Leaves no key of a quantisation unread: what may say how weights are stored is refused, the rest is assumed inert. */
export function refuseUnknown(config: ConfigReader, harmless: RegExp = /^$/): void {
  for (const { key, value } of config.unasked()) {
    if (provenance.test(key) || harmless.test(key)) continue;
    if (storage.test(key))
      config.problem(key, "a key that moecast knows here, since it may change how weights are stored", value);
    else config.assume(`${config.pathOf(key)} = ${shown(value)} is taken to change no stored weight`);
  }
}

/** Top-level keys that look like a quantisation of the model. */
const quantisation =
  /quant|^bits$|_bits$|^w_?bit$|^group_size$|compression|load_in_\d|packing|precision|(?:^|_)(?:fp8|fp4|int8|int4|nf4|awq|gptq|gguf|mxfp\d|nvfp\d|w\d+a\d+)(?:_|$)/i;
const numberFormat = /(?:^|_)dtype$/i;

/** Keys of training, kernels and numerics that match by their names alone. */
const harmlessAtTop =
  /^(?:compress_|torch_dtype$|dtype$|expert_dtype$|.*(?:router|gate|gating|ssm|ssm_cache|softmax|compute|logits|norm)_dtype$|use_int4_.*|quantization_aware.*|fp32_.*|.*in_fp32$|mxfp4_.*kernel)/i;

/** Refuses keys of a level of config.json that look like a quantisation and that nothing has read. */
export function refuseQuantisationKeys(level: ConfigReader): void {
  for (const { key, value } of level.unasked()) {
    if (harmlessAtTop.test(key)) continue;
    if (quantisation.test(key))
      level.problem(key, "a quantisation that moecast knows, since it may change how weights are stored", value);
    else if (numberFormat.test(key))
      level.assume(`${level.pathOf(key)} = ${shown(value)} is taken to change no stored weight`);
  }
}

function shown(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
