/**
 * Time of a replica's steps that went into prompts. A step without prompt tokens belongs to the outputs, a step of
 * prompt tokens alone to the prompts. A mixed step is divided: the outputs take as long as the latest step without
 * prompt tokens, but at least their share by tokens; the prompts take the rest.
 */
export class PromptTime {
  ns = 0;
  private decodeStepNs = 0;

  add(stepNs: number, promptTokens: number, decodeTokens: number): void {
    if (promptTokens === 0) {
      this.decodeStepNs = stepNs;
      return;
    }
    const byTokens = (stepNs * decodeTokens) / (promptTokens + decodeTokens);
    const outputsNs = decodeTokens === 0 ? 0 : Math.max(byTokens, Math.min(stepNs, this.decodeStepNs));
    this.ns += stepNs - outputsNs;
  }
}
