/// Every operation, by where scripts find it.
public enum OpCatalog {
    /// Methods of tensors and functions of the module `tensor`.
    public static let tensor: [Op] =
        Op.arithmetic + Op.comparison + Op.unary + Op.reduce + Op.shape + Op.joining + Op.creation + Op.conversion
        + Op.products + Op.indexing + Op.sorting + Op.contraction

    /// What layers are made of; not for scripts.
    public static let layers: [Op] = Op.recurrent + Op.fusedLayers

    /// Functions of `tensor.linalg`.
    public static let linalg: [Op] = Op.linearAlgebra

    /// Functions of the module `nn.functional`.
    public static let functional: [Op] =
        Op.convolution + Op.moreConvolution + Op.pooling + Op.morePooling + Op.normalization + Op.moreNormalization
        + Op.classificationLosses + Op.losses + Op.lookups + Op.resizing + Op.attention
}
