/// The messages of Core ML's open specification, as far as a walk needs them.
///
/// Source: the message definitions in coremltools 9.0, written by `Tests/Fixtures/artifacts/make_tables.py`.
enum CoreMLSchema {
    /// Shape: as ``ProtobufSchema`` reads it.
    static let text = """
        Model 1v 2mModelDescription 10v 200mPipelineClassifier 201mPipelineRegressor 202mPipeline 300mGLMRegressor \
        301mSupportVectorRegressor 302mTreeEnsembleRegressor 303mNeuralNetworkRegressor 304mBayesianProbitRegressor \
        400mGLMClassifier 401mSupportVectorClassifier 402mTreeEnsembleClassifier 403mNeuralNetworkClassifier \
        404mKNearestNeighborsClassifier 500mNeuralNetwork 501mItemSimilarityRecommender 502mMILSpec.Program 555mCustomModel \
        556mLinkedModel 560mClassConfidenceThresholding 600mOneHotEncoder 601mImputer 602mFeatureVectorizer 603mDictVectorizer \
        604mScaler 606mCategoricalMapping 607mNormalizer 609mArrayFeatureExtractor 610mNonMaximumSuppression 900mIdentity \
        2000mCoreMLModels.TextClassifier 2001mCoreMLModels.WordTagger 2002mCoreMLModels.VisionFeaturePrint \
        2003mCoreMLModels.SoundAnalysisPreprocessing 2004mCoreMLModels.Gazetteer 2005mCoreMLModels.WordEmbedding \
        2006mCoreMLModels.AudioFeaturePrint 3000mSerializedModel
        ModelDescription 1*mFeatureDescription 10*mFeatureDescription 11s 12s 13*mFeatureDescription 20*mFunctionDescription \
        21s 50*mFeatureDescription 100mMetadata
        PipelineClassifier 1mPipeline
        PipelineRegressor 1mPipeline
        Pipeline 1*mModel 2*s
        GLMRegressor 1*mGLMRegressor.DoubleArray 2*8 3v
        SupportVectorRegressor 1mKernel 2mSparseSupportVectors 3mDenseSupportVectors 4mCoefficients 58
        TreeEnsembleRegressor 1mTreeEnsembleParameters 2v
        NeuralNetworkRegressor 1*mNeuralNetworkLayer 2*mNeuralNetworkPreprocessing 5v 6v 10mNetworkUpdateParameters
        BayesianProbitRegressor 1v 2mBayesianProbitRegressor.Gaussian 3*mBayesianProbitRegressor.FeatureWeight 10s 11s 12s 13s \
        20s 21s 22s 23s
        GLMClassifier 1*mGLMClassifier.DoubleArray 2*8 3v 4v 100mStringVector 101mInt64Vector
        SupportVectorClassifier 1mKernel 2*v 3mSparseSupportVectors 4mDenseSupportVectors 5*mCoefficients 6*8 7*8 8*8 \
        100mStringVector 101mInt64Vector
        TreeEnsembleClassifier 1mTreeEnsembleParameters 2v 100mStringVector 101mInt64Vector
        NeuralNetworkClassifier 1*mNeuralNetworkLayer 2*mNeuralNetworkPreprocessing 5v 6v 10mNetworkUpdateParameters \
        100mStringVector 101mInt64Vector 200s
        KNearestNeighborsClassifier 1mNearestNeighborsIndex 3mInt64Parameter 100mStringVector 101mInt64Vector 110s 111v \
        200mUniformWeighting 210mInverseDistanceWeighting
        NeuralNetwork 1*mNeuralNetworkLayer 2*mNeuralNetworkPreprocessing 5v 6v 10mNetworkUpdateParameters
        ItemSimilarityRecommender 1*mItemSimilarityRecommender.SimilarItems 2mStringVector 3mInt64Vector 10s 11s 12s 13s 20s \
        21s
        MILSpec.Program 1v 2*mMILSpec.Program.FunctionsEntry 3p 4*mMILSpec.Program.AttributesEntry
        CustomModel 10s 30*mCustomModel.ParametersEntry 40p
        LinkedModel 1mLinkedModelFile
        ClassConfidenceThresholding 100*mPrecisionRecallCurve
        OneHotEncoder 1mStringVector 2mInt64Vector 10v 11v
        Imputer 18 2v 3s 4mDoubleVector 5mInt64Vector 6mStringToDoubleMap 7mInt64ToDoubleMap 118 12v 13s
        FeatureVectorizer 1*mFeatureVectorizer.InputColumn
        DictVectorizer 1mStringVector 2mInt64Vector
        Scaler 1*8 2*8
        CategoricalMapping 1mStringToInt64Map 2mInt64ToStringMap 101s 102v
        Normalizer 1v
        ArrayFeatureExtractor 1*v
        NonMaximumSuppression 1mNonMaximumSuppression.PickTop 100mStringVector 101mInt64Vector 1108 1118 200s 201s 202s 203s \
        210s 211s
        Identity
        CoreMLModels.TextClassifier 1v 10s 100b 200mStringVector
        CoreMLModels.WordTagger 1v 10s 20s 21s 22s 23s 100b 200mStringVector
        CoreMLModels.VisionFeaturePrint 20mCoreMLModels.VisionFeaturePrint.Scene 21mCoreMLModels.VisionFeaturePrint.Objects
        CoreMLModels.SoundAnalysisPreprocessing 20mCoreMLModels.SoundAnalysisPreprocessing.Vggish
        CoreMLModels.Gazetteer 1v 10s 100b 200mStringVector
        CoreMLModels.WordEmbedding 1v 10s 100b
        CoreMLModels.AudioFeaturePrint 20mCoreMLModels.AudioFeaturePrint.Sound
        SerializedModel 1s 2b
        FunctionDescription 1s 2*mFeatureDescription 3*mFeatureDescription 4s 5s 6*mFeatureDescription
        Metadata 1p 2s 3p 4p 100*mMetadata.UserDefinedEntry
        FeatureDescription 1s 2p 3mFeatureType
        GLMRegressor.DoubleArray 1*8
        Kernel 1mLinearKernel 2mRBFKernel 3mPolyKernel 4mSigmoidKernel
        SparseSupportVectors 1*mSparseVector
        DenseSupportVectors 1*mDenseVector
        Coefficients 1*8
        TreeEnsembleParameters 1*mTreeEnsembleParameters.TreeNode 2v 3*8
        NeuralNetworkLayer 1s 2*s 3*s 4*mTensor 5*mTensor 10v 100mConvolutionLayerParams 120mPoolingLayerParams \
        130mActivationParams 140mInnerProductLayerParams 150mEmbeddingLayerParams 160mBatchnormLayerParams \
        165mMeanVarianceNormalizeLayerParams 170mL2NormalizeLayerParams 175mSoftmaxLayerParams 180mLRNLayerParams \
        190mCropLayerParams 200mPaddingLayerParams 210mUpsampleLayerParams 211mResizeBilinearLayerParams \
        212mCropResizeLayerParams 220mUnaryFunctionLayerParams 230mAddLayerParams 231mMultiplyLayerParams \
        240mAverageLayerParams 245mScaleLayerParams 250mBiasLayerParams 260mMaxLayerParams 261mMinLayerParams \
        270mDotProductLayerParams 280mReduceLayerParams 290mLoadConstantLayerParams 300mReshapeLayerParams \
        301mFlattenLayerParams 310mPermuteLayerParams 320mConcatLayerParams 330mSplitLayerParams 340mSequenceRepeatLayerParams \
        345mReorganizeDataLayerParams 350mSliceLayerParams 400mSimpleRecurrentLayerParams 410mGRULayerParams \
        420mUniDirectionalLSTMLayerParams 430mBiDirectionalLSTMLayerParams 500mCustomLayerParams 600mCopyLayerParams \
        605mBranchLayerParams 615mLoopLayerParams 620mLoopBreakLayerParams 625mLoopContinueLayerParams \
        635mRangeStaticLayerParams 640mRangeDynamicLayerParams 660mClipLayerParams 665mCeilLayerParams 670mFloorLayerParams \
        680mSignLayerParams 685mRoundLayerParams 700mExp2LayerParams 710mSinLayerParams 715mCosLayerParams 720mTanLayerParams \
        730mAsinLayerParams 735mAcosLayerParams 740mAtanLayerParams 750mSinhLayerParams 755mCoshLayerParams \
        760mTanhLayerParams 770mAsinhLayerParams 775mAcoshLayerParams 780mAtanhLayerParams 790mErfLayerParams \
        795mGeluLayerParams 815mEqualLayerParams 820mNotEqualLayerParams 825mLessThanLayerParams 827mLessEqualLayerParams \
        830mGreaterThanLayerParams 832mGreaterEqualLayerParams 840mLogicalOrLayerParams 845mLogicalXorLayerParams \
        850mLogicalNotLayerParams 855mLogicalAndLayerParams 865mModBroadcastableLayerParams 870mMinBroadcastableLayerParams \
        875mMaxBroadcastableLayerParams 880mAddBroadcastableLayerParams 885mPowBroadcastableLayerParams \
        890mDivideBroadcastableLayerParams 895mFloorDivBroadcastableLayerParams 900mMultiplyBroadcastableLayerParams \
        905mSubtractBroadcastableLayerParams 920mTileLayerParams 925mStackLayerParams 930mGatherLayerParams \
        935mScatterLayerParams 940mGatherNDLayerParams 945mScatterNDLayerParams 950mSoftmaxNDLayerParams \
        952mGatherAlongAxisLayerParams 954mScatterAlongAxisLayerParams 960mReverseLayerParams 965mReverseSeqLayerParams \
        975mSplitNDLayerParams 980mConcatNDLayerParams 985mTransposeLayerParams 995mSliceStaticLayerParams \
        1000mSliceDynamicLayerParams 1005mSlidingWindowsLayerParams 1015mTopKLayerParams 1020mArgMinLayerParams \
        1025mArgMaxLayerParams 1040mEmbeddingNDLayerParams 1045mBatchedMatMulLayerParams 1065mGetShapeLayerParams \
        1070mLoadConstantNDLayerParams 1080mFillLikeLayerParams 1085mFillStaticLayerParams 1090mFillDynamicLayerParams \
        1100mBroadcastToLikeLayerParams 1105mBroadcastToStaticLayerParams 1110mBroadcastToDynamicLayerParams \
        1120mSqueezeLayerParams 1125mExpandDimsLayerParams 1130mFlattenTo2DLayerParams 1135mReshapeLikeLayerParams \
        1140mReshapeStaticLayerParams 1145mReshapeDynamicLayerParams 1150mRankPreservingReshapeLayerParams \
        1155mConstantPaddingLayerParams 1170mRandomNormalLikeLayerParams 1175mRandomNormalStaticLayerParams \
        1180mRandomNormalDynamicLayerParams 1190mRandomUniformLikeLayerParams 1195mRandomUniformStaticLayerParams \
        1200mRandomUniformDynamicLayerParams 1210mRandomBernoulliLikeLayerParams 1215mRandomBernoulliStaticLayerParams \
        1220mRandomBernoulliDynamicLayerParams 1230mCategoricalDistributionLayerParams 1250mReduceL1LayerParams \
        1255mReduceL2LayerParams 1260mReduceMaxLayerParams 1265mReduceMinLayerParams 1270mReduceSumLayerParams \
        1275mReduceProdLayerParams 1280mReduceMeanLayerParams 1285mReduceLogSumLayerParams 1290mReduceSumSquareLayerParams \
        1295mReduceLogSumExpLayerParams 1313mWhereNonZeroLayerParams 1315mMatrixBandPartLayerParams \
        1320mLowerTriangularLayerParams 1325mUpperTriangularLayerParams 1330mWhereBroadcastableLayerParams \
        1350mLayerNormalizationLayerParams 1400mNonMaximumSuppressionLayerParams 1450mOneHotLayerParams 1455mCumSumLayerParams \
        1460mClampedReLULayerParams 1461mArgSortLayerParams 1465mPooling3DLayerParams 1466mGlobalPooling3DLayerParams \
        1470mSliceBySizeLayerParams 1471mConvolution3DLayerParams
        NeuralNetworkPreprocessing 1s 10mNeuralNetworkImageScaler 11mNeuralNetworkMeanImage
        NetworkUpdateParameters 1*mLossLayer 2mOptimizer 3mInt64Parameter 10mBoolParameter 20mInt64Parameter
        BayesianProbitRegressor.Gaussian 18 28
        BayesianProbitRegressor.FeatureWeight 1v 2*mBayesianProbitRegressor.FeatureValueWeight
        GLMClassifier.DoubleArray 1*8
        StringVector 1*s
        Int64Vector 1*v
        NearestNeighborsIndex 1v 2*mFloatVector 100mLinearIndex 110mSingleKdTreeIndex 200mSquaredEuclideanDistance
        Int64Parameter 1v 10mInt64Range 11mInt64Set
        UniformWeighting
        InverseDistanceWeighting
        ItemSimilarityRecommender.SimilarItems 1v 2*mItemSimilarityRecommender.ConnectedItem 38
        MILSpec.Program.FunctionsEntry 1s 2mMILSpec.Function
        MILSpec.Program.AttributesEntry 1s 2mMILSpec.Value
        CustomModel.ParametersEntry 1s 2mCustomModel.CustomModelParamValue
        LinkedModelFile 1mStringParameter 2mStringParameter
        PrecisionRecallCurve 1mFloatVector 2mFloatVector 3mFloatVector 4mFloatVector
        DoubleVector 1*8
        StringToDoubleMap 1*mStringToDoubleMap.MapEntry
        Int64ToDoubleMap 1*mInt64ToDoubleMap.MapEntry
        FeatureVectorizer.InputColumn 1s 2v
        StringToInt64Map 1*mStringToInt64Map.MapEntry
        Int64ToStringMap 1*mInt64ToStringMap.MapEntry
        NonMaximumSuppression.PickTop 1v
        CoreMLModels.VisionFeaturePrint.Scene 1v
        CoreMLModels.VisionFeaturePrint.Objects 1v 100*s
        CoreMLModels.SoundAnalysisPreprocessing.Vggish
        CoreMLModels.AudioFeaturePrint.Sound 1v
        Metadata.UserDefinedEntry 1s 2p
        FeatureType 1mInt64FeatureType 2mDoubleFeatureType 3mStringFeatureType 4mImageFeatureType 5mArrayFeatureType \
        6mDictionaryFeatureType 7mSequenceFeatureType 8mStateFeatureType 1000v
        LinearKernel
        RBFKernel 18
        PolyKernel 1v 28 38
        SigmoidKernel 18 28
        SparseVector 1*mSparseNode
        DenseVector 1*8
        TreeEnsembleParameters.TreeNode 1v 2v 3v 10v 118 12v 13v 14v 20*mTreeEnsembleParameters.TreeNode.EvaluationInfo 308
        Tensor 1v 2*v
        ConvolutionLayerParams 1v 2v 10v 20*v 30*v 40*v 50mValidPadding 51mSamePadding 60v 70v 90mWeightParams 91mWeightParams \
        100*v
        PoolingLayerParams 1v 10*v 20*v 30mValidPadding 31mSamePadding 32mPoolingLayerParams.ValidCompletePadding 50v 60v
        ActivationParams 5mActivationLinear 10mActivationReLU 15mActivationLeakyReLU 20mActivationThresholdedReLU \
        25mActivationPReLU 30mActivationTanh 31mActivationScaledTanh 40mActivationSigmoid 41mActivationSigmoidHard \
        50mActivationELU 60mActivationSoftsign 70mActivationSoftplus 71mActivationParametricSoftplus
        InnerProductLayerParams 1v 2v 10v 20mWeightParams 21mWeightParams 22v
        EmbeddingLayerParams 1v 2v 10v 20mWeightParams 21mWeightParams
        BatchnormLayerParams 1v 5v 6v 104 15mWeightParams 16mWeightParams 17mWeightParams 18mWeightParams
        MeanVarianceNormalizeLayerParams 1v 2v 34
        L2NormalizeLayerParams 14
        SoftmaxLayerParams
        LRNLayerParams 14 24 3v 44
        CropLayerParams 1mBorderAmounts 5*v
        PaddingLayerParams 1mPaddingLayerParams.PaddingConstant 2mPaddingLayerParams.PaddingReflection \
        3mPaddingLayerParams.PaddingReplication 10mBorderAmounts
        UpsampleLayerParams 1*v 5v 6v 7*4
        ResizeBilinearLayerParams 1*v 2mSamplingMode
        CropResizeLayerParams 1*v 2v 3mSamplingMode 4mBoxCoordinatesMode 54
        UnaryFunctionLayerParams 1v 24 34 44 54
        AddLayerParams 14
        MultiplyLayerParams 14
        AverageLayerParams
        ScaleLayerParams 1*v 2mWeightParams 3v 4*v 5mWeightParams
        BiasLayerParams 1*v 2mWeightParams
        MaxLayerParams
        MinLayerParams
        DotProductLayerParams 1v
        ReduceLayerParams 1v 24 3v
        LoadConstantLayerParams 1*v 2mWeightParams
        ReshapeLayerParams 1*v 2v
        FlattenLayerParams 1v
        PermuteLayerParams 1*v
        ConcatLayerParams 100v
        SplitLayerParams 1v
        SequenceRepeatLayerParams 1v
        ReorganizeDataLayerParams 1v 2v
        SliceLayerParams 1v 2v 3v 4v
        SimpleRecurrentLayerParams 1v 2v 10mActivationParams 15v 20v 30mWeightParams 31mWeightParams 32mWeightParams 100v
        GRULayerParams 1v 2v 10*mActivationParams 15v 20v 30mWeightParams 31mWeightParams 32mWeightParams 50mWeightParams \
        51mWeightParams 52mWeightParams 70mWeightParams 71mWeightParams 72mWeightParams 100v
        UniDirectionalLSTMLayerParams 1v 2v 10*mActivationParams 15mLSTMParams 20mLSTMWeightParams 100v
        BiDirectionalLSTMLayerParams 1v 2v 10*mActivationParams 11*mActivationParams 15mLSTMParams 20*mLSTMWeightParams
        CustomLayerParams 10s 20*mWeightParams 30*mCustomLayerParams.ParametersEntry 40p
        CopyLayerParams
        BranchLayerParams 1mNeuralNetwork 2mNeuralNetwork
        LoopLayerParams 1v 2s 3mNeuralNetwork 4mNeuralNetwork
        LoopBreakLayerParams
        LoopContinueLayerParams
        RangeStaticLayerParams 14 24 34
        RangeDynamicLayerParams 24 34
        ClipLayerParams 14 24
        CeilLayerParams
        FloorLayerParams
        SignLayerParams
        RoundLayerParams
        Exp2LayerParams
        SinLayerParams
        CosLayerParams
        TanLayerParams
        AsinLayerParams
        AcosLayerParams
        AtanLayerParams
        SinhLayerParams
        CoshLayerParams
        TanhLayerParams
        AsinhLayerParams
        AcoshLayerParams
        AtanhLayerParams
        ErfLayerParams
        GeluLayerParams 1v
        EqualLayerParams 14
        NotEqualLayerParams 14
        LessThanLayerParams 24
        LessEqualLayerParams 24
        GreaterThanLayerParams 24
        GreaterEqualLayerParams 24
        LogicalOrLayerParams
        LogicalXorLayerParams
        LogicalNotLayerParams
        LogicalAndLayerParams
        ModBroadcastableLayerParams
        MinBroadcastableLayerParams
        MaxBroadcastableLayerParams
        AddBroadcastableLayerParams
        PowBroadcastableLayerParams
        DivideBroadcastableLayerParams
        FloorDivBroadcastableLayerParams
        MultiplyBroadcastableLayerParams
        SubtractBroadcastableLayerParams
        TileLayerParams 1*v
        StackLayerParams 1v
        GatherLayerParams 1v
        ScatterLayerParams 1v 2v
        GatherNDLayerParams
        ScatterNDLayerParams 1v
        SoftmaxNDLayerParams 1v
        GatherAlongAxisLayerParams 1v
        ScatterAlongAxisLayerParams 1v 2v
        ReverseLayerParams 1*v
        ReverseSeqLayerParams 1v 2v
        SplitNDLayerParams 1v 2v 3*v
        ConcatNDLayerParams 1v 2v
        TransposeLayerParams 1*v
        SliceStaticLayerParams 1*v 2*v 3*v 4*v 5*v 6*v
        SliceDynamicLayerParams 2*v 3*v 4*v 5*v 6*v
        SlidingWindowsLayerParams 1v 2v 3v
        TopKLayerParams 1v 2v 3v
        ArgMinLayerParams 1v 2v
        ArgMaxLayerParams 1v 2v
        EmbeddingNDLayerParams 1v 2v 3v 20mWeightParams 21mWeightParams
        BatchedMatMulLayerParams 1v 2v 5v 6v 7v 8mWeightParams 9mWeightParams 10v
        GetShapeLayerParams
        LoadConstantNDLayerParams 1*v 2mWeightParams
        FillLikeLayerParams 14
        FillStaticLayerParams 14 2*v
        FillDynamicLayerParams 14
        BroadcastToLikeLayerParams
        BroadcastToStaticLayerParams 1*v
        BroadcastToDynamicLayerParams
        SqueezeLayerParams 1*v 2v
        ExpandDimsLayerParams 1*v
        FlattenTo2DLayerParams 1v
        ReshapeLikeLayerParams
        ReshapeStaticLayerParams 1*v
        ReshapeDynamicLayerParams
        RankPreservingReshapeLayerParams 1*v
        ConstantPaddingLayerParams 14 2*v 3v
        RandomNormalLikeLayerParams 1v 24 34
        RandomNormalStaticLayerParams 1v 24 34 4*v
        RandomNormalDynamicLayerParams 1v 24 34
        RandomUniformLikeLayerParams 1v 24 34
        RandomUniformStaticLayerParams 1v 24 34 4*v
        RandomUniformDynamicLayerParams 1v 24 34
        RandomBernoulliLikeLayerParams 1v 24
        RandomBernoulliStaticLayerParams 1v 24 3*v
        RandomBernoulliDynamicLayerParams 1v 24
        CategoricalDistributionLayerParams 1v 2v 3v 44 54
        ReduceL1LayerParams 1*v 2v 3v
        ReduceL2LayerParams 1*v 2v 3v
        ReduceMaxLayerParams 1*v 2v 3v
        ReduceMinLayerParams 1*v 2v 3v
        ReduceSumLayerParams 1*v 2v 3v
        ReduceProdLayerParams 1*v 2v 3v
        ReduceMeanLayerParams 1*v 2v 3v
        ReduceLogSumLayerParams 1*v 2v 3v
        ReduceSumSquareLayerParams 1*v 2v 3v
        ReduceLogSumExpLayerParams 1*v 2v 3v
        WhereNonZeroLayerParams
        MatrixBandPartLayerParams 1v 2v
        LowerTriangularLayerParams 1v
        UpperTriangularLayerParams 1v
        WhereBroadcastableLayerParams
        LayerNormalizationLayerParams 1*v 24 3mWeightParams 4mWeightParams
        NonMaximumSuppressionLayerParams 14 24 3v 4v
        OneHotLayerParams 1v 2v 34 44
        CumSumLayerParams 1v 2v 3v
        ClampedReLULayerParams 14 24
        ArgSortLayerParams 1v 2v
        Pooling3DLayerParams 1v 2v 3v 4v 5v 6v 7v 8v 9v 10v 11v 12v 13v 14v 15v
        GlobalPooling3DLayerParams 1v
        SliceBySizeLayerParams 2v 3v
        Convolution3DLayerParams 1v 2v 10v 20v 21v 22v 31v 32v 33v 40v 41v 42v 50v 60mWeightParams 61mWeightParams 70v 80v 81v \
        82v 83v 84v 85v 86v 87*v
        NeuralNetworkImageScaler 104 204 214 224 304
        NeuralNetworkMeanImage 1*4
        LossLayer 1s 10mCategoricalCrossEntropyLossLayer 11mMeanSquaredErrorLossLayer
        Optimizer 10mSGDOptimizer 11mAdamOptimizer
        BoolParameter 1v
        BayesianProbitRegressor.FeatureValueWeight 1v 2mBayesianProbitRegressor.Gaussian
        FloatVector 1*4
        LinearIndex
        SingleKdTreeIndex 1v
        SquaredEuclideanDistance
        Int64Range 1v 2v
        Int64Set 1*v
        ItemSimilarityRecommender.ConnectedItem 1v 28
        MILSpec.Function 1*mMILSpec.NamedValueType 2s 3*mMILSpec.Function.BlockSpecializationsEntry \
        4*mMILSpec.Function.AttributesEntry
        MILSpec.Value 1p 2mMILSpec.ValueType 3mMILSpec.Value.ImmediateValue 5mMILSpec.Value.BlobFileValue
        CustomModel.CustomModelParamValue 108 20s 30v 40v 50v 60b
        StringParameter 1s
        StringToDoubleMap.MapEntry 1s 28
        Int64ToDoubleMap.MapEntry 1v 28
        StringToInt64Map.MapEntry 1s 2v
        Int64ToStringMap.MapEntry 1v 2s
        Int64FeatureType
        DoubleFeatureType
        StringFeatureType
        ImageFeatureType 1v 2v 3v 21mImageFeatureType.EnumeratedImageSizes 31mImageFeatureType.ImageSizeRange
        ArrayFeatureType 1*v 2v 21mArrayFeatureType.EnumeratedShapes 31mArrayFeatureType.ShapeRange 41v 514 618
        DictionaryFeatureType 1mInt64FeatureType 2mStringFeatureType
        SequenceFeatureType 1mInt64FeatureType 3mStringFeatureType 101mSizeRange
        StateFeatureType 1mArrayFeatureType
        SparseNode 1v 28
        TreeEnsembleParameters.TreeNode.EvaluationInfo 1v 28
        ValidPadding 1mBorderAmounts
        SamePadding 1v
        WeightParams 1*4w 2bw 30bw 31bw 40mQuantizationParams 50v
        PoolingLayerParams.ValidCompletePadding 10*v
        ActivationLinear 14 24
        ActivationReLU
        ActivationLeakyReLU 14
        ActivationThresholdedReLU 14
        ActivationPReLU 1mWeightParams
        ActivationTanh
        ActivationScaledTanh 14 24
        ActivationSigmoid
        ActivationSigmoidHard 14 24
        ActivationELU 14
        ActivationSoftsign
        ActivationSoftplus
        ActivationParametricSoftplus 1mWeightParams 2mWeightParams
        BorderAmounts 10*mBorderAmounts.EdgeSizes
        PaddingLayerParams.PaddingConstant 14
        PaddingLayerParams.PaddingReflection
        PaddingLayerParams.PaddingReplication
        SamplingMode 1v
        BoxCoordinatesMode 1v
        LSTMParams 10v 20v 30v 40v 50v 604
        LSTMWeightParams 1mWeightParams 2mWeightParams 3mWeightParams 4mWeightParams 20mWeightParams 21mWeightParams \
        22mWeightParams 23mWeightParams 40mWeightParams 41mWeightParams 42mWeightParams 43mWeightParams 60mWeightParams \
        61mWeightParams 62mWeightParams
        CustomLayerParams.ParametersEntry 1s 2mCustomLayerParams.CustomLayerParamValue
        CategoricalCrossEntropyLossLayer 1s 2s
        MeanSquaredErrorLossLayer 1s 2s
        SGDOptimizer 1mDoubleParameter 2mInt64Parameter 3mDoubleParameter
        AdamOptimizer 1mDoubleParameter 2mInt64Parameter 3mDoubleParameter 4mDoubleParameter 5mDoubleParameter
        MILSpec.NamedValueType 1s 2mMILSpec.ValueType
        MILSpec.Function.BlockSpecializationsEntry 1s 2mMILSpec.Block
        MILSpec.Function.AttributesEntry 1s 2mMILSpec.Value
        MILSpec.ValueType 1mMILSpec.TensorType 2mMILSpec.ListType 3mMILSpec.TupleType 4mMILSpec.DictionaryType \
        5mMILSpec.StateType
        MILSpec.Value.ImmediateValue 1mMILSpec.TensorValue 2mMILSpec.TupleValue 3mMILSpec.ListValue 4mMILSpec.DictionaryValue
        MILSpec.Value.BlobFileValue 1s 2v
        ImageFeatureType.EnumeratedImageSizes 1*mImageFeatureType.ImageSize
        ImageFeatureType.ImageSizeRange 1mSizeRange 2mSizeRange
        ArrayFeatureType.EnumeratedShapes 1*mArrayFeatureType.Shape
        ArrayFeatureType.ShapeRange 1*mSizeRange
        SizeRange 1v 2v
        QuantizationParams 1v 101mLinearQuantizationParams 102mLookUpTableQuantizationParams
        BorderAmounts.EdgeSizes 1v 2v
        CustomLayerParams.CustomLayerParamValue 108 20s 30v 40v 50v
        DoubleParameter 18 10mDoubleRange
        MILSpec.Block 1*mMILSpec.NamedValueType 2*s 3*mMILSpec.Operation 4*mMILSpec.Block.AttributesEntry
        MILSpec.TensorType 1v 2v 3*mMILSpec.Dimension 4*mMILSpec.TensorType.AttributesEntry
        MILSpec.ListType 1mMILSpec.ValueType 2mMILSpec.Dimension
        MILSpec.TupleType 1*mMILSpec.ValueType
        MILSpec.DictionaryType 1mMILSpec.ValueType 2mMILSpec.ValueType
        MILSpec.StateType 1mMILSpec.ValueType
        MILSpec.TensorValue 1mMILSpec.TensorValue.RepeatedFloats 2mMILSpec.TensorValue.RepeatedInts \
        3mMILSpec.TensorValue.RepeatedBools 4mMILSpec.TensorValue.RepeatedStrings 5mMILSpec.TensorValue.RepeatedLongInts \
        6mMILSpec.TensorValue.RepeatedDoubles 7mMILSpec.TensorValue.RepeatedBytes
        MILSpec.TupleValue 1*mMILSpec.Value
        MILSpec.ListValue 1*mMILSpec.Value
        MILSpec.DictionaryValue 1*mMILSpec.DictionaryValue.KeyValuePair
        ImageFeatureType.ImageSize 1v 2v
        ArrayFeatureType.Shape 1*v
        LinearQuantizationParams 1*4 2*4
        LookUpTableQuantizationParams 1*4
        DoubleRange 18 28
        MILSpec.Operation 1s 2*mMILSpec.Operation.InputsEntry 3*mMILSpec.NamedValueType 4*mMILSpec.Block \
        5*mMILSpec.Operation.AttributesEntry
        MILSpec.Block.AttributesEntry 1s 2mMILSpec.Value
        MILSpec.Dimension 1mMILSpec.Dimension.ConstantDimension 2mMILSpec.Dimension.UnknownDimension
        MILSpec.TensorType.AttributesEntry 1s 2mMILSpec.Value
        MILSpec.TensorValue.RepeatedFloats 1*4
        MILSpec.TensorValue.RepeatedInts 1*v
        MILSpec.TensorValue.RepeatedBools 1*v
        MILSpec.TensorValue.RepeatedStrings 1*p
        MILSpec.TensorValue.RepeatedLongInts 1*v
        MILSpec.TensorValue.RepeatedDoubles 1*8
        MILSpec.TensorValue.RepeatedBytes 1bw
        MILSpec.DictionaryValue.KeyValuePair 1mMILSpec.Value 2mMILSpec.Value
        MILSpec.Operation.InputsEntry 1s 2mMILSpec.Argument
        MILSpec.Operation.AttributesEntry 1s 2mMILSpec.Value
        MILSpec.Dimension.ConstantDimension 1v
        MILSpec.Dimension.UnknownDimension 1v
        MILSpec.Argument 1*mMILSpec.Argument.Binding
        MILSpec.Argument.Binding 1s 2mMILSpec.Value
        """
}
