// One line at the bottom of a terminal that shows what a run is waiting for. Elsewhere: nothing.

import type { Run } from "../engine/run.js";
import type { Output } from "./output.js";
import { printable } from "./output.js";
import { seconds } from "./words.js";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const TICK_MS = 100;

export class Ticker {
  private timer: NodeJS.Timeout | undefined;
  private run: Run | undefined;
  private frame = 0;

  constructor(private readonly output: Output) {}

  show(run: Run): void {
    if (!this.output.live) return;
    this.run = run;
    this.timer ??= setInterval(() => this.draw(), TICK_MS);
  }

  /** Writes other lines without tearing this one. */
  above(write: () => void): void {
    this.erase();
    write();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.erase();
    this.run = undefined;
  }

  private draw(): void {
    if (this.run === undefined) return;
    this.frame = (this.frame + 1) % FRAMES.length;
    const text = `${FRAMES[this.frame]} ${openSteps(this.run)}`;
    const width = (process.stderr.columns ?? 80) - 1;
    process.stderr.write(`\r\u001b[K${this.output.talkColors.dim(text.slice(0, width))}`);
  }

  private erase(): void {
    if (this.run !== undefined) process.stderr.write("\r\u001b[K");
  }
}

function openSteps(run: Run): string {
  const open = Object.entries(run.steps).flatMap(([id, step]) => {
    if (step.status === "running") return [`${printable(id)} is running`];
    if (step.status !== "waiting" || step.until === undefined) return [];
    const left = Math.max(0, Date.parse(step.until) - Date.now());
    return [`${printable(id)}, ${seconds(left)} left`];
  });
  return open.length > 0 ? open.join(" · ") : run.status;
}
