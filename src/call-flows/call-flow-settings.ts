import type { Config } from '../config/config.js';
import { ConfigError } from '../errors/config-error.js';
import { type CallFlowName, callFlowNames } from './call-flow.names.js';
import { type RegistrationScript, readRegistrationScript } from './registration-script.js';

/** The settings of the call flows, validated when the program starts. */
export class CallFlowSettings {
  /** The call flow of calls that name none. */
  readonly defaultCallFlow!: CallFlowName;
  /** The questions that people who call in are asked. */
  readonly registration!: RegistrationScript;
}

/**
 * Validates the settings of the call flows, and reads the registration script.
 *
 * @throws ConfigError when a name is not that of a call flow, or the script cannot be used
 */
export function readCallFlowSettings(config: Config): CallFlowSettings {
  if (config.inboundCallFlow !== undefined) callFlowNameOf('INBOUND_CALL_FLOW_LOGIC', config.inboundCallFlow);
  return {
    defaultCallFlow: callFlowNameOf('DEFAULT_CALL_FLOW_LOGIC', config.defaultCallFlow),
    registration: readRegistration(config.registrationFile),
  };
}

function callFlowNameOf(setting: string, value: string): CallFlowName {
  const name = callFlowNames.find((one) => one === value);
  if (!name) throw new ConfigError(`${setting} must be one of ${callFlowNames.join(', ')}.`);
  return name;
}

function readRegistration(path: string | undefined): RegistrationScript {
  try {
    return readRegistrationScript(path);
  } catch (error) {
    throw new ConfigError(`REGISTRATION_FILE must be a registration script: ${(error as Error).message}.`);
  }
}
