/** A process that was stopped hears within this time that it goes on; one that could not be stopped never hears it. */
const heardMs = 100;

/** Stopping by Ctrl-Z and going on by `fg`: the shell has the terminal while the process stands still. */
export class JobControl {
  private readonly giveBack: () => Promise<void>;
  private readonly takeAgain: () => void;
  private isStopping = false;

  /** @param takeAgain may be called without `giveBack`: SIGSTOP lets no process do anything before it stops. */
  constructor(giveBack: () => Promise<void>, takeAgain: () => void) {
    this.giveBack = giveBack;
    this.takeAgain = takeAgain;
  }

  begin(): void {
    process.on("SIGTSTP", this.asked).on("SIGCONT", this.goesOn);
  }

  end(): void {
    process.off("SIGTSTP", this.asked).off("SIGCONT", this.goesOn);
  }

  /** Stops the whole job, as the key of a terminal does: a shell waits for all of it, such as for a package runner that started this process. */
  suspend(): void {
    void this.stop(0);
  }

  private readonly asked = (): void => void this.stop(process.pid);

  private async stop(pid: number): Promise<void> {
    if (this.isStopping) return;
    this.isStopping = true;
    await this.giveBack();
    // Without a listener the signal does to this process what it does to any.
    process.off("SIGTSTP", this.asked);
    try {
      process.kill(pid, "SIGTSTP");
    } finally {
      process.on("SIGTSTP", this.asked);
      // The system stops no job that no shell would wake.
      setTimeout(() => this.isStopping && this.goesOn(), heardMs);
    }
  }

  private readonly goesOn = (): void => {
    this.isStopping = false;
    this.takeAgain();
  };
}
