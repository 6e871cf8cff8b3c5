/**
 * How much of the time of a replica's steps went into prompts. A step without prompt tokens is the outputs', one of prompt
 * tokens alone the prompts'. Of a mixed step the outputs take what the latest step without prompt tokens took, at least
 * their share of its tokens; the rest is the prompts'.
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
