import type { Command } from '../messages';
import type { Machine } from './machine';

/** A machine just made, with the command it stands for (not yet annotated). */
export interface NewMachine {
  machine: Machine;
  command: Command;
}
