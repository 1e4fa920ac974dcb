export {
  type FormatRow,
  type FormatRowsOptions,
  formatRows,
  isTableFormat,
  printRows,
} from "./format-rows.js";
export { goString } from "./go-print.js";
export { type TabOptions, alignTabs } from "./tab-writer.js";
export { Template } from "./template.js";
export { TemplateError } from "./template-error.js";
export { formatGoJson, formatJson, templateFunctions } from "./template-functions.js";
