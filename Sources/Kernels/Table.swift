import KernelABI
public func kernelTable() -> kernel_table { fatalError() }
