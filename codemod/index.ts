/** `branchline/codemod`: what the commands `assess`, `codemod` and `check` do, for programs. Loads ts-morph: no part of the runtime imports it. @module */
export { assess, type AssessOptions, type Assessment } from './assess/assess';
export { assessmentPage } from './assess/html';
export type { Measured, MeasureOptions, Measurement } from './assess/measure';
export { assessmentText } from './assess/text';
export { DEFAULT_THRESHOLDS, type Thresholds, thresholdsFrom, type Verdict } from './assess/verdict';
export { type CheckReport, checkResidue, type ResidueAt } from './check';
export { CodemodError } from './failure';
export type { CodemodReport, FileReport, Place } from './file-report';
export type { Direction } from './packages';
export { typesOfAssessment } from './routed/plan';
export { checkText, codemodText } from './report/text';
export { type CodemodOptions, runCodemod } from './run';
