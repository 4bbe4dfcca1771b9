import { type Setting, settingsOf } from './setting.ts'

const runtime = settingsOf('Runtime')

/** Section Runtime, once called Host. A build reads few of them; all are parsed. */
export const RUNTIME_SETTINGS: readonly Setting[] = [
  // Copied beside the output.
  runtime('NSpawnSettings', 'path', 'image', { files: ['mkosi.nspawn'] }),
  runtime('Ephemeral', 'text', 'runtime'),
  // Parsing it runs every executable among its files.
  runtime('Credentials', 'credentials', ['parse-time-executable', 'secret-in-source'], { files: ['mkosi.credentials'] }),
  runtime('KernelCommandLineExtra', 'words', 'runtime'),
  runtime('RuntimeTrees', 'trees', 'runtime'),
  runtime('RuntimeSize', 'text', 'runtime'),
  runtime('RuntimeScratch', 'text', 'runtime'),
  runtime('RuntimeNetwork', 'text', 'runtime'),
  runtime('RuntimeBuildSources', 'text', 'runtime'),
  runtime('RuntimeHome', 'text', 'runtime'),
  runtime('UnitProperties', 'words', 'runtime'),
  runtime('BindUser', 'text', 'runtime', { since: '26' }),
  runtime('StorageTargetMode', 'text', 'runtime', { since: '26' }),
  runtime('SshKey', 'path', ['secret-in-source'], { files: ['mkosi.key'] }),
  // Ssh= copies it into the image.
  runtime('SshCertificate', 'path', 'image', { files: ['mkosi.crt'] }),
  runtime('VirtualMachineMonitor', 'text', 'runtime'),
  runtime('Machine', 'text', 'runtime'),
  runtime('ForwardJournal', 'path', 'runtime'),
  runtime('SysupdateDirectory', 'path', 'runtime', { files: ['mkosi.sysupdate'] }),
  runtime('Console', 'text', 'runtime'),
  runtime('CPUs', 'text', 'runtime', { aliases: ['QemuSmp'] }),
  runtime('RAM', 'text', 'runtime', { aliases: ['QemuMem'] }),
  runtime('MaxMem', 'text', 'runtime', { since: '26' }),
  runtime('KVM', 'text', 'runtime', { aliases: ['QemuKvm'] }),
  runtime('CXL', 'text', 'runtime', { since: '26' }),
  runtime('VSock', 'text', 'runtime', { aliases: ['QemuVsock'] }),
  runtime('VSockCID', 'text', 'runtime', { aliases: ['QemuVsockConnectionId'] }),
  runtime('TPM', 'text', 'runtime', { aliases: ['QemuSwtpm'] }),
  runtime('CDROM', 'text', 'runtime', { aliases: ['QemuCdrom'] }),
  runtime('Removable', 'text', 'runtime', { aliases: ['QemuRemovable'] }),
  runtime('DiskType', 'text', 'runtime', { since: '26' }),
  runtime('Firmware', 'text', 'runtime', { aliases: ['QemuFirmware'] }),
  runtime('FirmwareVariables', 'path', 'runtime', { aliases: ['QemuFirmwareVariables'] }),
  runtime('Linux', 'path', 'runtime', { aliases: ['QemuKernel'] }),
  runtime('Drives', 'drives', 'runtime', { aliases: ['QemuDrives'] }),
  runtime('QemuArgs', 'words', 'runtime'),
  runtime('Register', 'text', 'runtime'),
]
