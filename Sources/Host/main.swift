#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

exit(HostCommand(CommandLine.arguments).run())
