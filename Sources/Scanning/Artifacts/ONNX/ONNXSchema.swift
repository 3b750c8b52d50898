/// The messages of ONNX's open specification, as far as a walk needs them.
///
/// Source: `onnx-ml.proto` of onnx 1.23.2, written by `Tests/Fixtures/artifacts/make_tables.py`.
enum ONNXSchema {
    /// Shape: as ``ProtobufSchema`` reads it.
    static let text = """
        ModelProto 1v 2s 3s 4s 5v 6p 7mGraphProto 8*mOperatorSetIdProto 14*mStringStringEntryProto 20*mTrainingInfoProto \
        25*mFunctionProto 26*mDeviceConfigurationProto
        OperatorSetIdProto 1s 2v
        GraphProto 1*mNodeProto 2s 5*mTensorProto 10p 11*mValueInfoProto 12*mValueInfoProto 13*mValueInfoProto \
        14*mTensorAnnotation 15*mSparseTensorProto 16*mStringStringEntryProto
        StringStringEntryProto 1s 2p
        TrainingInfoProto 1mGraphProto 2mGraphProto 3*mStringStringEntryProto 4*mStringStringEntryProto
        FunctionProto 1s 4*s 5*s 6*s 7*mNodeProto 8p 9*mOperatorSetIdProto 10s 11*mAttributeProto 12*mValueInfoProto 13s \
        14*mStringStringEntryProto
        DeviceConfigurationProto 1s 2v 3*s
        NodeProto 1*s 2*s 3s 4s 5*mAttributeProto 6p 7s 8s 9*mStringStringEntryProto 10*mNodeDeviceConfigurationProto
        TensorProto 1*v 2v 3mTensorProto.Segment 4*4w 5*vw 6*bw 7*vw 8s 9bw 10*8w 11*vw 12p 13*mStringStringEntryProto 14v \
        16*mStringStringEntryProto
        SparseTensorProto 1mTensorProto 2mTensorProto 3*v
        ValueInfoProto 1s 2mTypeProto 3p 4*mStringStringEntryProto
        TensorAnnotation 1s 2*mStringStringEntryProto
        AttributeProto 1s 24 3v 4b 5mTensorProto 6mGraphProto 7*4 8*v 9*b 10*mTensorProto 11*mGraphProto 13p 14mTypeProto \
        15*mTypeProto 20v 21s 22mSparseTensorProto 23*mSparseTensorProto
        NodeDeviceConfigurationProto 1s 2*mShardingSpecProto 3v
        TensorProto.Segment 1v 2v
        TypeProto 1mTypeProto.Tensor 4mTypeProto.Sequence 5mTypeProto.Map 6s 7mTypeProto.Opaque 8mTypeProto.SparseTensor \
        9mTypeProto.Optional
        ShardingSpecProto 1s 2*v 3*mIntIntListEntryProto 4*mShardedDimProto
        TypeProto.Tensor 1v 2mTensorShapeProto
        TypeProto.Sequence 1mTypeProto
        TypeProto.Map 1v 2mTypeProto
        TypeProto.Optional 1mTypeProto
        TypeProto.SparseTensor 1v 2mTensorShapeProto
        TypeProto.Opaque 1s 2s
        IntIntListEntryProto 1v 2*v
        ShardedDimProto 1v 2*mSimpleShardedDimProto
        TensorShapeProto 1*mTensorShapeProto.Dimension
        SimpleShardedDimProto 1v 2s 3v
        TensorShapeProto.Dimension 1v 2s 3s
        """
}
