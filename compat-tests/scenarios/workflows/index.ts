/** The workflows of all scenarios; the same source is bundled for both engines. */
export * from './basics';
export * from './activities';
export * from './children';
export * from './timers';
export * from './chains';
export * from './updates';
export * from './info';
