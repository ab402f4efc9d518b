<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN">
    <context>
        <name>Alignment</name>
        <message>
            <source>Edits of last time</source>
            <translation>上次的编辑</translation>
        </message>
        <message>
            <source>Windows of {file}</source>
            <translation>{file} 的窗口</translation>
        </message>
        <message>
            <source>read the alignment log</source>
            <translation>读取对齐记录</translation>
        </message>
        <message>
            <source>write the alignment log</source>
            <translation>写入对齐记录</translation>
        </message>
        <message>
            <source>Alignment log written</source>
            <translation>已写入对齐记录</translation>
        </message>
        <message>
            <source>Import log</source>
            <translation>导入对齐记录</translation>
        </message>
        <message>
            <source>Alignment logs</source>
            <translation>对齐记录</translation>
        </message>
        <message>
            <source>Export log</source>
            <translation>导出对齐记录</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>撤销</translation>
        </message>
        <message>
            <source>Redo</source>
            <translation>重做</translation>
        </message>
    </context>
    <context>
        <name>AlignmentPanel</name>
        <message>
            <source>First plane of the exposure</source>
            <translation>曝光的第一个平面</translation>
        </message>
        <message>
            <source>Plane after the last of the exposure</source>
            <translation>曝光最后一个平面之后的平面</translation>
        </message>
        <message>
            <source>Length of the exposure; the window grows around its middle</source>
            <translation>曝光的长度；窗口以中点为中心变化</translation>
        </message>
        <message>
            <source>Start</source>
            <translation>起点</translation>
        </message>
        <message>
            <source>Stop</source>
            <translation>终点</translation>
        </message>
        <message>
            <source>Length</source>
            <translation>长度</translation>
        </message>
        <message>
            <source>Blurry frame</source>
            <translation>模糊帧</translation>
        </message>
        <message>
            <source>Mean of the spikes in the window</source>
            <translation>窗口内脉冲的均值</translation>
        </message>
        <message>
            <source>Move every window by so many planes</source>
            <translation>把每个窗口移动这么多平面</translation>
        </message>
        <message>
            <source>Length of every window, in percent of now</source>
            <translation>每个窗口的长度，占现在的百分比</translation>
        </message>
        <message>
            <source>Move frame n by n times so many planes: the cameras' clocks differ</source>
            <translation>第 n 帧移动 n 倍这么多平面：两台相机的时钟不同步</translation>
        </message>
        <message>
            <source>Shift</source>
            <translation>平移</translation>
        </message>
        <message>
            <source>Scale</source>
            <translation>缩放</translation>
        </message>
        <message>
            <source>Drift</source>
            <translation>漂移</translation>
        </message>
        <message>
            <source>Apply</source>
            <translation>应用</translation>
        </message>
        <message>
            <source>{change} the windows of all frames</source>
            <translation>对所有帧的窗口：{change}</translation>
        </message>
        <message>
            <source>Reset</source>
            <translation>重置</translation>
        </message>
        <message>
            <source>Import</source>
            <translation>导入</translation>
        </message>
        <message>
            <source>Export</source>
            <translation>导出</translation>
        </message>
        <message>
            <source>All frames</source>
            <translation>全部帧</translation>
        </message>
        <message>
            <source>Alignment</source>
            <translation>对齐</translation>
        </message>
        <message>
            <source>Open a sequence with spikes: here its exposures can be moved against them.</source>
            <translation>打开含脉冲的序列：在这里可以相对脉冲移动它的曝光。</translation>
        </message>
        <message>
            <source>Window of frame {index}</source>
            <translation>第 {index} 帧的窗口</translation>
        </message>
        <message>
            <source>{start} to {stop}, {length} long</source>
            <translation>{start} 至 {stop}，长 {length}</translation>
        </message>
        <message>
            <source>{edited} of {count} windows are edited</source>
            <translation>{count} 个窗口中修改了 {edited} 个</translation>
        </message>
        <message>
            <source>All windows are as in the files</source>
            <translation>所有窗口都与文件一致</translation>
        </message>
        <message>
            <source> planes</source>
            <translation> 平面</translation>
        </message>
    </context>
    <context>
        <name>Banner</name>
        <message>
            <source>Dismiss this message</source>
            <translation>关闭此消息</translation>
        </message>
        <message>
            <source>{count} more</source>
            <translation>另有 {count} 条</translation>
        </message>
    </context>
    <context>
        <name>CardList</name>
        <message>
            <source>Ways to read the recording</source>
            <translation>录制的读法</translation>
        </message>
    </context>
    <context>
        <name>CommandPalette</name>
        <message>
            <source>What do you want to do?</source>
            <translation>想做什么？</translation>
        </message>
        <message>
            <source>Command</source>
            <translation>命令</translation>
        </message>
    </context>
    <context>
        <name>Commands</name>
        <message>
            <source>It is not there any more</source>
            <translation>它已不在原处</translation>
        </message>
        <message>
            <source>It was taken off the list of recent files</source>
            <translation>已从最近文件列表中移除</translation>
        </message>
        <message>
            <source>Open recording</source>
            <translation>打开录制</translation>
        </message>
        <message>
            <source>Spike recordings</source>
            <translation>脉冲录制</translation>
        </message>
        <message>
            <source>Add spikes</source>
            <translation>添加脉冲</translation>
        </message>
        <message>
            <source>Add reference</source>
            <translation>添加参考图</translation>
        </message>
        <message>
            <source>Add alignment log</source>
            <translation>添加对齐记录</translation>
        </message>
        <message>
            <source>Alignment logs</source>
            <translation>对齐记录</translation>
        </message>
        <message>
            <source>Export all restored frames into</source>
            <translation>导出全部复原帧到</translation>
        </message>
        <message>
            <source>Save picture of panes</source>
            <translation>保存窗格图像</translation>
        </message>
        <message>
            <source>save the picture</source>
            <translation>保存图像</translation>
        </message>
        <message>
            <source>Saved</source>
            <translation>已保存</translation>
        </message>
    </context>
    <context>
        <name>DataSet</name>
        <message>
            <source>size not known</source>
            <translation>尺寸未知</translation>
        </message>
        <message>
            <source>Open it to choose among pictures</source>
            <translation>打开后可从图像中选择</translation>
        </message>
        <message>
            <source>1 frame</source>
            <translation>1 帧</translation>
        </message>
        <message>
            <source>{count} frames</source>
            <translation>{count} 帧</translation>
        </message>
        <message>
            <source>{count} notes</source>
            <translation>{count} 条说明</translation>
        </message>
        <message>
            <source>1 note</source>
            <translation>1 条说明</translation>
        </message>
        <message>
            <source>no spikes</source>
            <translation>无脉冲</translation>
        </message>
        <message>
            <source>no frames</source>
            <translation>无帧</translation>
        </message>
        <message>
            <source>no reference</source>
            <translation>无参考图</translation>
        </message>
        <message>
            <source>no alignment</source>
            <translation>无对齐</translation>
        </message>
        <message>
            <source>{count} planes</source>
            <translation>{count} 个平面</translation>
        </message>
        <message>
            <source>Data set</source>
            <translation>数据集</translation>
        </message>
        <message>
            <source>list the data set</source>
            <translation>列出数据集</translation>
        </message>
        <message>
            <source>Sequences of the data set</source>
            <translation>数据集的序列</translation>
        </message>
    </context>
    <context>
        <name>DataSetPanel</name>
        <message>
            <source>Filter by name</source>
            <translation>按名称筛选</translation>
        </message>
        <message>
            <source>Filter sequences by name</source>
            <translation>按名称筛选序列</translation>
        </message>
        <message>
            <source>A folder with several sequences appears here, with what each of them lacks.</source>
            <translation>含有多个序列的文件夹会显示在这里，并指出各自缺少什么。</translation>
        </message>
        <message>
            <source>1 sequence</source>
            <translation>1 个序列</translation>
        </message>
        <message>
            <source>{count} sequences</source>
            <translation>{count} 个序列</translation>
        </message>
    </context>
    <context>
        <name>DropHint</name>
        <message>
            <source>Drop to open</source>
            <translation>松开即可打开</translation>
        </message>
    </context>
    <context>
        <name>EmptyPage</name>
        <message>
            <source>Opening …</source>
            <translation>正在打开…</translation>
        </message>
        <message>
            <source>Drop a blurry sequence and its spikes here</source>
            <translation>把模糊序列和它的脉冲拖到这里</translation>
        </message>
        <message>
            <source>A folder of frames with its spike recording, a video, or a recording alone (.dat, .npz, .npy).</source>
            <translation>含有帧和脉冲录制的文件夹、视频，或单独的录制（.dat、.npz、.npy）。</translation>
        </message>
    </context>
    <context>
        <name>ExportDialog</name>
        <message>
            <source>Export</source>
            <translation>导出</translation>
        </message>
        <message>
            <source>Stop</source>
            <translation>停止</translation>
        </message>
        <message>
            <source>Close</source>
            <translation>关闭</translation>
        </message>
        <message>
            <source>{count} files were written. </source>
            <translation>已写入 {count} 个文件。</translation>
        </message>
        <message>
            <source>Blurry</source>
            <translation>模糊</translation>
        </message>
        <message>
            <source>Restored</source>
            <translation>复原</translation>
        </message>
        <message>
            <source>Reference</source>
            <translation>参考</translation>
        </message>
        <message>
            <source>Format</source>
            <translation>格式</translation>
        </message>
        <message>
            <source>What to export</source>
            <translation>导出什么</translation>
        </message>
        <message>
            <source>Pictures</source>
            <translation>图片</translation>
        </message>
        <message>
            <source>The restored frames as files</source>
            <translation>把复原帧写成文件</translation>
        </message>
        <message>
            <source>Scores</source>
            <translation>分数</translation>
        </message>
        <message>
            <source>PSNR, SSIM and correlation as a table</source>
            <translation>PSNR、SSIM 和相关系数的表格</translation>
        </message>
        <message>
            <source>Video</source>
            <translation>视频</translation>
        </message>
        <message>
            <source>Two pictures beside each other, or wiped</source>
            <translation>两张图片并排，或划像</translation>
        </message>
        <message>
            <source>Which frames</source>
            <translation>哪些帧</translation>
        </message>
        <message>
            <source>This frame</source>
            <translation>当前帧</translation>
        </message>
        <message>
            <source>The one on screen</source>
            <translation>屏幕上的这一帧</translation>
        </message>
        <message>
            <source>Range</source>
            <translation>范围</translation>
        </message>
        <message>
            <source>From the in to the out point</source>
            <translation>从起点到终点</translation>
        </message>
        <message>
            <source>All</source>
            <translation>全部</translation>
        </message>
        <message>
            <source>Every frame of the sequence</source>
            <translation>序列的每一帧</translation>
        </message>
        <message>
            <source>File names</source>
            <translation>文件名</translation>
        </message>
        <message>
            <source>In braces: {fields}. {example} writes five digits</source>
            <translation>花括号中可用：{fields}。{example} 写成五位数</translation>
        </message>
        <message>
            <source>Files that are there</source>
            <translation>已存在的文件</translation>
        </message>
        <message>
            <source>Keep them</source>
            <translation>保留</translation>
        </message>
        <message>
            <source>What is there stays, and is not written again</source>
            <translation>已存在的保留，不再写入</translation>
        </message>
        <message>
            <source>Replace them</source>
            <translation>替换</translation>
        </message>
        <message>
            <source>What is there is written over</source>
            <translation>覆盖已存在的文件</translation>
        </message>
        <message>
            <source>Side by side</source>
            <translation>并排</translation>
        </message>
        <message>
            <source>Both pictures beside each other</source>
            <translation>两张图片并排</translation>
        </message>
        <message>
            <source>Wipe</source>
            <translation>划像</translation>
        </message>
        <message>
            <source>One picture, parted by a line that goes across and back</source>
            <translation>一张图片，分界线来回移动</translation>
        </message>
        <message>
            <source> frames a second</source>
            <translation> 帧/秒</translation>
        </message>
        <message>
            <source>Names in the pictures</source>
            <translation>在图像中写名称</translation>
        </message>
        <message>
            <source>Written into the corners; not on pictures that are too small for it</source>
            <translation>写在角上；图像太小时不写</translation>
        </message>
        <message>
            <source>Sound of the source</source>
            <translation>源视频的声音</translation>
        </message>
        <message>
            <source>Copied for the frames that are shown; only at the source's own pace, else it would not fit</source>
            <translation>与所显示的帧一起复制；仅限源视频自身的速度，否则声音对不上</translation>
        </message>
        <message>
            <source>Folder</source>
            <translation>文件夹</translation>
        </message>
        <message>
            <source>Choose…</source>
            <translation>选择…</translation>
        </message>
        <message>
            <source>File</source>
            <translation>文件</translation>
        </message>
        <message>
            <source>What</source>
            <translation>内容</translation>
        </message>
        <message>
            <source>Frames</source>
            <translation>帧</translation>
        </message>
        <message>
            <source>This cannot be a file: {error}</source>
            <translation>这不能作为文件：{error}</translation>
        </message>
        <message>
            <source>Choose a folder.</source>
            <translation>请选择文件夹。</translation>
        </message>
        <message>
            <source>There is no reference to compare with: File ▸ Add reference names its folder.</source>
            <translation>没有可比较的参考：用“文件 ▸ 添加参考”指定它的文件夹。</translation>
        </message>
        <message>
            <source>Give the file a name.</source>
            <translation>请给文件命名。</translation>
        </message>
        <message>
            <source>Choose two different pictures.</source>
            <translation>请选择两张不同的图片。</translation>
        </message>
        <message>
            <source>None of these frames is restored yet.</source>
            <translation>这些帧都还没有复原。</translation>
        </message>
        <message>
            <source>{count} frames are not restored, and left out.</source>
            <translation>{count} 帧没有复原，已略去。</translation>
        </message>
        <message>
            <source>{name} is a folder.</source>
            <translation>{name} 是文件夹。</translation>
        </message>
        <message>
            <source>{name} is there, and is replaced.</source>
            <translation>{name} 已存在，将被替换。</translation>
        </message>
        <message>
            <source>Writes {name}, {count} frames.</source>
            <translation>写入 {name}，{count} 帧。</translation>
        </message>
        <message>
            <source>All of these files are there already.</source>
            <translation>这些文件都已存在。</translation>
        </message>
        <message>
            <source>{count} files: {names}</source>
            <translation>{count} 个文件：{names}</translation>
        </message>
        <message>
            <source>; {count} are there already and stay</source>
            <translation>；{count} 个已存在，保留</translation>
        </message>
        <message>
            <source>; {count} are there already and are replaced</source>
            <translation>；{count} 个已存在，将被替换</translation>
        </message>
        <message>
            <source>. {count} frames are not restored, and left out</source>
            <translation>。{count} 帧没有复原，已略去</translation>
        </message>
        <message>
            <source>Nothing says how many frames a second the source has.</source>
            <translation>没有任何信息说明源每秒有多少帧。</translation>
        </message>
        <message>
            <source>the video</source>
            <translation>视频</translation>
        </message>
        <message>
            <source>the alignment log</source>
            <translation>对齐记录</translation>
        </message>
        <message>
            <source>the exposures</source>
            <translation>曝光时间</translation>
        </message>
        <message>
            <source>The source's own is {rate}, says {what}.</source>
            <translation>源自身为每秒 {rate} 帧，依据：{what}。</translation>
        </message>
        <message>
            <source>The source's own is {rate} on average, says {what}.</source>
            <translation>源自身平均每秒 {rate} 帧，依据：{what}。</translation>
        </message>
        <message>
            <source>At another pace its sound is left out.</source>
            <translation>采用其他速度时不带声音。</translation>
        </message>
        <message>
            <source>Quality</source>
            <translation>质量</translation>
        </message>
        <message>
            <source>Small file (H.264, .mp4)</source>
            <translation>小文件（H.264，.mp4）</translation>
        </message>
        <message>
            <source>Good (H.264, .mp4)</source>
            <translation>良好（H.264，.mp4）</translation>
        </message>
        <message>
            <source>Best (H.264, .mp4)</source>
            <translation>最佳（H.264，.mp4）</translation>
        </message>
        <message>
            <source>Without loss (FFV1, .mkv)</source>
            <translation>无损（FFV1，.mkv）</translation>
        </message>
        <message>
            <source>Names</source>
            <translation>名称</translation>
        </message>
        <message>
            <source>Existing files</source>
            <translation>已有文件</translation>
        </message>
        <message>
            <source>Values as they were restored; contrast and gamma of the screen are not in them.</source>
            <translation>写入复原后的原值，不含屏幕上的对比度和伽马。</translation>
        </message>
        <message>
            <source>Left</source>
            <translation>左</translation>
        </message>
        <message>
            <source>Right</source>
            <translation>右</translation>
        </message>
        <message>
            <source>Arrangement</source>
            <translation>排列</translation>
        </message>
        <message>
            <source>Pace</source>
            <translation>节奏</translation>
        </message>
        <message>
            <source>Export into</source>
            <translation>导出到</translation>
        </message>
    </context>
    <context>
        <name>HelpWindow</name>
        <message>
            <source>Help</source>
            <translation>帮助</translation>
        </message>
        <message>
            <source>Keyboard shortcuts</source>
            <translation>键盘快捷键</translation>
        </message>
        <message>
            <source>Search</source>
            <translation>搜索</translation>
        </message>
        <message>
            <source>Contents</source>
            <translation>目录</translation>
        </message>
    </context>
    <context>
        <name>JobBar</name>
        <message>
            <source>Spikes integrate</source>
            <translation>脉冲积分</translation>
        </message>
        <message>
            <source>What the spikes add up. Code values (gamma 1): most synthetic sets.
Linear light (gamma 2.2): a real sensor beside an ordinary camera's frames.</source>
            <translation>脉冲累积的量。编码值（伽马 1）：多数合成数据集。
线性光（伽马 2.2）：真实传感器与普通相机的帧。</translation>
        </message>
        <message>
            <source>code values (γ 1)</source>
            <translation>编码值（γ 1）</translation>
        </message>
        <message>
            <source>linear light (γ 2.2)</source>
            <translation>线性光（γ 2.2）</translation>
        </message>
        <message>
            <source>, assumed</source>
            <translation>，假定</translation>
        </message>
        <message>
            <source>Frame {number} is unchanged: {reason}</source>
            <translation>第 {number} 帧未改变：{reason}</translation>
        </message>
        <message>
            <source>Deblurred {done} of {count} frames in {time}</source>
            <translation>已去模糊 {done} / {count} 帧，用时 {time}</translation>
        </message>
        <message>
            <source>frame {number}</source>
            <translation>第 {number} 帧</translation>
        </message>
        <message>
            <source>{count} frames</source>
            <translation>{count} 帧</translation>
        </message>
        <message>
            <source>a part of {what}</source>
            <translation>{what}的一部分</translation>
        </message>
        <message>
            <source>1 frame</source>
            <translation>1 帧</translation>
        </message>
        <message>
            <source>Waiting to deblur {what}</source>
            <translation>等待去模糊：{what}</translation>
        </message>
        <message>
            <source>Paused after {done} of {what}</source>
            <translation>已暂停：完成 {done} / {what}</translation>
        </message>
        <message>
            <source>Starting to deblur {what} …</source>
            <translation>开始去模糊：{what}…</translation>
        </message>
        <message>
            <source>{done} of {total} tiles</source>
            <translation>{done}/{total} 块</translation>
        </message>
        <message>
            <source>Deblurring {what}</source>
            <translation>正在去模糊：{what}</translation>
        </message>
        <message>
            <source>{count} done</source>
            <translation>已完成 {count}</translation>
        </message>
        <message>
            <source>{time} left</source>
            <translation>剩余 {time}</translation>
        </message>
        <message>
            <source>Cancelling …</source>
            <translation>正在取消…</translation>
        </message>
        <message>
            <source>Deblurred {what} in {time}</source>
            <translation>已去模糊：{what}，用时 {time}</translation>
        </message>
        <message>
            <source>Cancelled after {done} of {what}</source>
            <translation>已取消：完成 {done} / {what}</translation>
        </message>
        <message>
            <source>Failed after {done} of {what}</source>
            <translation>失败：完成 {done} / {what}</translation>
        </message>
    </context>
    <context>
        <name>Magnifier</name>
        <message>
            <source>Magnifier</source>
            <translation>放大镜</translation>
        </message>
        <message>
            <source>Move the mouse over a picture to magnify it</source>
            <translation>把鼠标移到图片上即可放大</translation>
        </message>
    </context>
    <context>
        <name>MainWindow</name>
        <message>
            <source>Queue</source>
            <translation>队列</translation>
        </message>
        <message>
            <source>Alignment</source>
            <translation>对齐</translation>
        </message>
        <message>
            <source>Deblurring</source>
            <translation>去模糊</translation>
        </message>
        <message>
            <source>Picture</source>
            <translation>图片</translation>
        </message>
        <message>
            <source>Raster</source>
            <translation>脉冲光栅</translation>
        </message>
        <message>
            <source>load the libraries</source>
            <translation>加载程序库</translation>
        </message>
        <message>
            <source>The language changes when the studio starts again</source>
            <translation>语言将在下次启动时改变</translation>
        </message>
        <message>
            <source>A job is not finished.</source>
            <translation>有一个任务尚未完成。</translation>
        </message>
        <message>
            <source>{count} jobs are not finished.</source>
            <translation>有 {count} 个任务尚未完成。</translation>
        </message>
        <message>
            <source>An export is still being written.</source>
            <translation>导出仍在写入。</translation>
        </message>
    </context>
    <context>
        <name>MethodActions</name>
        <message>
            <source>By {method}</source>
            <translation>用{method}</translation>
        </message>
    </context>
    <context>
        <name>Methods</name>
        <message>
            <source>spike ratio</source>
            <translation>脉冲比</translation>
        </message>
        <message>
            <source>network</source>
            <translation>网络</translation>
        </message>
    </context>
    <context>
        <name>Notices</name>
        <message>
            <source>found</source>
            <translation>实际为</translation>
        </message>
        <message>
            <source>expected</source>
            <translation>应为</translation>
        </message>
        <message>
            <source>Could not {doing}</source>
            <translation>无法{doing}</translation>
        </message>
        <message>
            <source>Something went wrong inside the studio</source>
            <translation>软件内部出错</translation>
        </message>
        <message>
            <source>Your files are untouched. Help ▸ Show log has the details</source>
            <translation>您的文件未被改动。详情见“帮助 ▸ 显示日志”</translation>
        </message>
    </context>
    <context>
        <name>Pages</name>
        <message>
            <source>Worth knowing</source>
            <translation>值得注意</translation>
        </message>
        <message>
            <source>Nothing odd was found in its files.</source>
            <translation>文件中没有发现异常。</translation>
        </message>
        <message>
            <source>Notes on this sequence</source>
            <translation>关于此序列的说明</translation>
        </message>
        <message>
            <source>1 frame of {size} px, {bits} bit, layout: {layout}</source>
            <translation>1 帧，{size} 像素，{bits} 位，布局：{layout}</translation>
        </message>
        <message>
            <source>{count} frames of {size} px, {bits} bit, layout: {layout}</source>
            <translation>{count} 帧，{size} 像素，{bits} 位，布局：{layout}</translation>
        </message>
        <message>
            <source>rate not known</source>
            <translation>速率未知</translation>
        </message>
        <message>
            <source>Spikes: {planes} planes of {size} px, {rate}, {format}</source>
            <translation>脉冲：{planes} 个平面，{size} 像素，{rate}，{format}</translation>
        </message>
        <message>
            <source>Alignment windows come from the alignment log</source>
            <translation>对齐窗口来自对齐记录</translation>
        </message>
        <message>
            <source>Alignment windows come from the data set</source>
            <translation>对齐窗口来自数据集</translation>
        </message>
        <message>
            <source>Alignment windows come from the user</source>
            <translation>对齐窗口由用户给出</translation>
        </message>
        <message>
            <source>Alignment windows are a guess</source>
            <translation>对齐窗口是猜测的</translation>
        </message>
        <message>
            <source>Shows what a spike camera saw inside every blurry exposure, and deblurs the video with it.</source>
            <translation>显示脉冲相机在每次模糊曝光中看到的内容，并用它为视频去模糊。</translation>
        </message>
        <message>
            <source>About Spike Deblur Studio</source>
            <translation>关于 Spike Deblur Studio</translation>
        </message>
        <message>
            <source>(not installed)</source>
            <translation>（未安装）</translation>
        </message>
    </context>
    <context>
        <name>Pane</name>
        <message>
            <source>Choose what this pane shows (keys 0 to 9 and P)</source>
            <translation>选择此窗格显示的内容（按键 0 到 9 和 P）</translation>
        </message>
        <message>
            <source>What this pane shows</source>
            <translation>此窗格显示的内容</translation>
        </message>
    </context>
    <context>
        <name>PanesView</name>
        <message>
            <source>Reading frame {index} …</source>
            <translation>正在读取第 {index} 帧…</translation>
        </message>
        <message>
            <source>Restored by {maker}</source>
            <translation>由{maker}复原</translation>
        </message>
        <message>
            <source>Blurry (mean of the spikes)</source>
            <translation>模糊（脉冲均值）</translation>
        </message>
        <message>
            <source>Blurry</source>
            <translation>模糊</translation>
        </message>
        <message>
            <source>Restored</source>
            <translation>复原</translation>
        </message>
        <message>
            <source>Reference</source>
            <translation>参考</translation>
        </message>
        <message>
            <source>Spikes: mean of the exposure (TFP)</source>
            <translation>脉冲：曝光期间的均值 (TFP)</translation>
        </message>
        <message>
            <source>Spikes: intervals at its centre (TFI)</source>
            <translation>脉冲：曝光中点的间隔 (TFI)</translation>
        </message>
        <message>
            <source>Spike ratio, live</source>
            <translation>脉冲比（实时）</translation>
        </message>
        <message>
            <source>Sensor pattern</source>
            <translation>传感器固定图案</translation>
        </message>
        <message>
            <source>Voxel bin</source>
            <translation>体素格</translation>
        </message>
        <message>
            <source>Voxel bin {number} of {count} · {span}</source>
            <translation>体素格 {number}/{count} · {span}</translation>
        </message>
        <message>
            <source>gain not known</source>
            <translation>增益未知</translation>
        </message>
        <message>
            <source>gain {gain}</source>
            <translation>增益 {gain}</translation>
        </message>
        <message>
            <source>Grey fires as its neighbours do, white {percent} % more, black as much less; stripes: not known</source>
            <translation>灰色：与相邻像素发放相同；白色：多 {percent} %；黑色：少同样多；条纹：未知</translation>
        </message>
        <message>
            <source>Unchanged: {reason}</source>
            <translation>未改变：{reason}</translation>
        </message>
        <message>
            <source> · stale: spikes are read or corrected otherwise</source>
            <translation> · 已过时：脉冲的读法或校正已改变</translation>
        </message>
        <message>
            <source> · stale: window moved</source>
            <translation> · 已过期：窗口移动过</translation>
        </message>
        <message>
            <source> (not γ {gamma})</source>
            <translation>（不是 γ {gamma}）</translation>
        </message>
        <message>
            <source> · unfinished</source>
            <translation> · 未完成</translation>
        </message>
        <message>
            <source> · in part</source>
            <translation> · 部分</translation>
        </message>
        <message>
            <source>Being computed …</source>
            <translation>正在计算…</translation>
        </message>
        <message>
            <source>There is no sharp reference.</source>
            <translation>没有清晰的参考。</translation>
        </message>
        <message>
            <source>Deblurring needs the recording of the spike camera.</source>
            <translation>去模糊需要脉冲相机的录制。</translation>
        </message>
        <message>
            <source>This frame has no reference.</source>
            <translation>这一帧没有参考。</translation>
        </message>
        <message>
            <source>Paused: the queue goes on with it when you resume it.</source>
            <translation>已暂停：恢复后队列会继续处理。</translation>
        </message>
        <message>
            <source>Being deblurred …</source>
            <translation>正在去模糊…</translation>
        </message>
        <message>
            <source>Not deblurred yet</source>
            <translation>尚未去模糊</translation>
        </message>
        <message>
            <source>Only the recording of a spike camera has a sensor's pattern.</source>
            <translation>只有脉冲相机的录制才有传感器固定图案。</translation>
        </message>
        <message>
            <source>The sensor's pattern is not corrected, as was said.</source>
            <translation>按您的选择，不校正传感器固定图案。</translation>
        </message>
        <message>
            <source>Nothing is known of the sensor's pattern, and nothing is corrected: too little moves over its pixels to tell it from the scene.</source>
            <translation>传感器固定图案未知，也不作任何校正：经过其像素的运动太少，无法把它与场景区分开。</translation>
        </message>
        <message>
            <source>region: </source>
            <translation>区域：</translation>
        </message>
        <message>
            <source>PSNR and SSIM against the reference: RGB, 8-bit values, Gaussian window of 11 × 11, σ 1.5</source>
            <translation>相对参考的 PSNR 和 SSIM：RGB，8 位值，11 × 11 高斯窗，σ 1.5</translation>
        </message>
        <message>
            <source>Inside the framed region; Shift and a click take the frame away</source>
            <translation>在框出的区域内；按住 Shift 单击可去掉框</translation>
        </message>
        <message>
            <source>Brightness is matched first: pictures of spikes alone have none of their own</source>
            <translation>先匹配亮度：仅由脉冲得到的图片没有自己的亮度</translation>
        </message>
        <message>
            <source>Difference from</source>
            <translation>与…的差</translation>
        </message>
        <message>
            <source>Nothing: the picture itself</source>
            <translation>无：图片本身</translation>
        </message>
    </context>
    <context>
        <name>Pattern</name>
        <message>
            <source>Keep this sensor's pattern</source>
            <translation>保存此传感器的固定图案</translation>
        </message>
        <message>
            <source>Patterns of sensors</source>
            <translation>传感器固定图案</translation>
        </message>
        <message>
            <source>Flat field or kept pattern</source>
            <translation>平场或保存的固定图案</translation>
        </message>
        <message>
            <source>Flat fields and kept patterns</source>
            <translation>平场和保存的固定图案</translation>
        </message>
        <message>
            <source>kept of {name}</source>
            <translation>保存自 {name}</translation>
        </message>
        <message>
            <source>measured by 1 frame</source>
            <translation>由 1 帧测得</translation>
        </message>
        <message>
            <source>measured by {count} frames</source>
            <translation>由 {count} 帧测得</translation>
        </message>
        <message>
            <source>measured on 1 window of this recording</source>
            <translation>由此录制的 1 个窗口测得</translation>
        </message>
        <message>
            <source>measured on {count} windows of this recording</source>
            <translation>由此录制的 {count} 个窗口测得</translation>
        </message>
        <message>
            <source>spread {spread} %, known in {share} % of the pixels, {origin}</source>
            <translation>离散度 {spread} %，{share} % 的像素已知，{origin}</translation>
        </message>
    </context>
    <context>
        <name>PatternRow</name>
        <message>
            <source>Sensor's pattern</source>
            <translation>传感器固定图案</translation>
        </message>
        <message>
            <source>This recording, where enough moves</source>
            <translation>此录制（在运动足够之处）</translation>
        </message>
        <message>
            <source>Nothing: it is not corrected</source>
            <translation>无：不校正</translation>
        </message>
        <message>
            <source>Kept: {name}</source>
            <translation>已保存：{name}</translation>
        </message>
        <message>
            <source>File…</source>
            <translation>文件…</translation>
        </message>
        <message>
            <source>A recording of an even surface, or a kept pattern; files can be dropped here as well</source>
            <translation>均匀表面的录制，或保存的固定图案；也可以把文件拖放到这里</translation>
        </message>
        <message>
            <source>Forget</source>
            <translation>删除</translation>
        </message>
        <message>
            <source>Delete a pattern that was kept for a sensor</source>
            <translation>删除为某个传感器保存的固定图案</translation>
        </message>
    </context>
    <context>
        <name>PatternUse</name>
        <message>
            <source>keep the sensor's pattern</source>
            <translation>保存传感器固定图案</translation>
        </message>
        <message>
            <source>The kept pattern of the sensor is not there any more</source>
            <translation>为此传感器保存的固定图案已不存在</translation>
        </message>
        <message>
            <source>What the recording itself shows of it is corrected</source>
            <translation>改为按录制本身显示的图案校正</translation>
        </message>
        <message>
            <source>Nothing is known of this sensor's pattern that could be kept</source>
            <translation>此传感器的固定图案未知，没有可保存的内容</translation>
        </message>
        <message>
            <source>Name a flat field, or open a recording in which the whole picture moves</source>
            <translation>请指定平场，或打开一个整幅画面都在运动的录制</translation>
        </message>
        <message>
            <source>delete the kept pattern</source>
            <translation>删除保存的固定图案</translation>
        </message>
        <message>
            <source>The pattern is not kept any more</source>
            <translation>该固定图案已删除</translation>
        </message>
        <message>
            <source>The pattern kept of this sensor is used: {name}</source>
            <translation>已使用为此传感器保存的固定图案：{name}</translation>
        </message>
        <message>
            <source>The recording's spikes show the same pattern, and alone tell less of it</source>
            <translation>录制的脉冲显示出同样的图案，而录制本身提供得更少</translation>
        </message>
        <message>
            <source>Do not use</source>
            <translation>不使用</translation>
        </message>
        <message>
            <source>A kept pattern cannot be used, and is left as it is: {problem}</source>
            <translation>一个保存的固定图案无法使用，文件保持原样：{problem}</translation>
        </message>
        <message>
            <source>Forget it in the dialog for units, white level and pattern, or keep it anew</source>
            <translation>请在“单位、白电平与传感器固定图案”对话框中删除它，或重新保存</translation>
        </message>
        <message>
            <source>Sensor's pattern saved</source>
            <translation>传感器固定图案已保存</translation>
        </message>
        <message>
            <source>Kept: recordings of this sensor that tell less are corrected by it from now on</source>
            <translation>已保存：此传感器的其他录制如果提供得更少，今后将按它校正</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>撤销</translation>
        </message>
    </context>
    <context>
        <name>PicturePanel</name>
        <message>
            <source>Values of the pane under the mouse, in 8-bit levels. Drag the edges to black and white</source>
            <translation>鼠标所在窗格的值（8 位）。拖动两边设定黑与白</translation>
        </message>
        <message>
            <source>Gamma on the screen</source>
            <translation>屏幕伽马</translation>
        </message>
        <message>
            <source>More than 1 brightens what is between black and white</source>
            <translation>大于 1 会提亮黑白之间的部分</translation>
        </message>
        <message>
            <source>Gain of differences</source>
            <translation>差异的增益</translation>
        </message>
        <message>
            <source>How much differences are enlarged</source>
            <translation>差异放大多少倍</translation>
        </message>
        <message>
            <source>Gamma</source>
            <translation>伽马</translation>
        </message>
        <message>
            <source>Differences ×</source>
            <translation>差异 ×</translation>
        </message>
        <message>
            <source>Stretch</source>
            <translation>拉伸</translation>
        </message>
        <message>
            <source>As in the files</source>
            <translation>按文件原值</translation>
        </message>
        <message>
            <source>On the screen only: what is exported keeps its values.</source>
            <translation>只影响屏幕：导出的内容保持原值。</translation>
        </message>
        <message>
            <source>Nothing to count</source>
            <translation>没有可统计的内容</translation>
        </message>
        <message>
            <source>Values in pane {number}</source>
            <translation>窗格 {number} 的值</translation>
        </message>
    </context>
    <context>
        <name>Pictures</name>
        <message>
            <source>read the frame</source>
            <translation>读取帧</translation>
        </message>
    </context>
    <context>
        <name>PlaneScale</name>
        <message>
            <source>planes {span}</source>
            <translation>平面 {span}</translation>
        </message>
    </context>
    <context>
        <name>PlayControls</name>
        <message>
            <source>Speed</source>
            <translation>速度</translation>
        </message>
        <message>
            <source>Speed: {speed} × the recording's own, {fps} frames a second</source>
            <translation>速度：录制速度的 {speed} 倍，每秒 {fps} 帧</translation>
        </message>
        <message>
            <source>Any other speed</source>
            <translation>其他速度</translation>
        </message>
        <message>
            <source>Any other speed, 0.1 to 8 times the recording's</source>
            <translation>其他速度，录制速度的 0.1 到 8 倍</translation>
        </message>
    </context>
    <context>
        <name>Prompts</name>
        <message>
            <source>Open</source>
            <translation>打开</translation>
        </message>
        <message>
            <source>Frames and spikes</source>
            <translation>帧和脉冲</translation>
        </message>
        <message>
            <source>Spike recordings</source>
            <translation>脉冲录制</translation>
        </message>
        <message>
            <source>Videos</source>
            <translation>视频</translation>
        </message>
        <message>
            <source>Open folder</source>
            <translation>打开文件夹</translation>
        </message>
        <message>
            <source>Export frame</source>
            <translation>导出帧</translation>
        </message>
        <message>
            <source>Export all restored frames</source>
            <translation>导出全部复原帧</translation>
        </message>
        <message>
            <source>{count} of these files are already in {folder}.</source>
            <translation>{folder} 中已有其中 {count} 个文件。</translation>
        </message>
        <message>
            <source>One of these files is already in {folder}.</source>
            <translation>{folder} 中已有其中一个文件。</translation>
        </message>
        <message>
            <source>Replace what is there?</source>
            <translation>要替换已有的文件吗？</translation>
        </message>
        <message>
            <source>Replace</source>
            <translation>替换</translation>
        </message>
        <message>
            <source>Forget pattern</source>
            <translation>删除固定图案</translation>
        </message>
        <message>
            <source>Delete the pattern kept of {name}?</source>
            <translation>删除为 {name} 保存的固定图案？</translation>
        </message>
        <message>
            <source>Recordings of its sensor are then corrected by what they show themselves.</source>
            <translation>之后，该传感器的录制将按它们本身显示的图案校正。</translation>
        </message>
        <message>
            <source>Forget</source>
            <translation>删除</translation>
        </message>
        <message>
            <source>Quit</source>
            <translation>退出</translation>
        </message>
        <message>
            <source>Restored frames that were not exported are lost when the studio ends.</source>
            <translation>软件退出后，未导出的复原帧会丢失。</translation>
        </message>
        <message>
            <source>Quit all the same</source>
            <translation>仍然退出</translation>
        </message>
        <message>
            <source>All files (*)</source>
            <translation>所有文件 (*)</translation>
        </message>
    </context>
    <context>
        <name>Queue</name>
        <message>
            <source>frame {frame}</source>
            <translation>第 {frame} 帧</translation>
        </message>
        <message>
            <source>frames {first}–{last}</source>
            <translation>第 {first}–{last} 帧</translation>
        </message>
        <message>
            <source>waiting</source>
            <translation>等待中</translation>
        </message>
        <message>
            <source>waiting to go on, {done} of {count} frames done</source>
            <translation>等待继续，已完成 {done}/{count} 帧</translation>
        </message>
        <message>
            <source>starting …</source>
            <translation>正在启动…</translation>
        </message>
        <message>
            <source>, {time} left</source>
            <translation>，剩余 {time}</translation>
        </message>
        <message>
            <source>paused, {done} of {count} frames done</source>
            <translation>已暂停，已完成 {done}/{count} 帧</translation>
        </message>
        <message>
            <source>cancelling …</source>
            <translation>正在取消…</translation>
        </message>
        <message>
            <source>done in {time}</source>
            <translation>完成，用时 {time}</translation>
        </message>
        <message>
            <source>cancelled, {done} of {count} frames done</source>
            <translation>已取消，已完成 {done}/{count} 帧</translation>
        </message>
        <message>
            <source>failed</source>
            <translation>失败</translation>
        </message>
        <message>
            <source>{failed} of {count} frames failed, first frame {frame}: {why}</source>
            <translation>{count} 帧中有 {failed} 帧失败，首先是第 {frame} 帧：{why}</translation>
        </message>
    </context>
    <context>
        <name>QueuePanel</name>
        <message>
            <source>Jobs</source>
            <translation>任务</translation>
        </message>
        <message>
            <source>Nothing is being deblurred. Jobs appear here, and go on while you work.</source>
            <translation>没有正在去模糊的任务。任务会显示在这里，并在工作时继续运行。</translation>
        </message>
    </context>
    <context>
        <name>RasterPanel</name>
        <message>
            <source>Pixels</source>
            <translation>像素</translation>
        </message>
        <message>
            <source>Show so many pixels, the one under the mouse in the middle</source>
            <translation>显示这么多像素，鼠标下的像素在中间</translation>
        </message>
        <message>
            <source>Every mark is a spike, every line a pixel, row by row; the one under the mouse is bright</source>
            <translation>每个标记是一个脉冲，每行是一个像素；鼠标下的像素为亮色</translation>
        </message>
        <message>
            <source>Planes since the spike before, of the pixel under the mouse</source>
            <translation>鼠标下的像素距上一个脉冲的平面数</translation>
        </message>
        <message>
            <source>interval / planes</source>
            <translation>间隔 / 平面</translation>
        </message>
        <message>
            <source>plane</source>
            <translation>平面</translation>
        </message>
        <message>
            <source>Spikes of a pixel</source>
            <translation>一个像素的脉冲</translation>
        </message>
        <message>
            <source>Pixel ({x}, {y}) of the spike camera</source>
            <translation>脉冲相机的像素 ({x}, {y})</translation>
        </message>
        <message>
            <source>Open a sequence with spikes, then move the mouse over one of its pictures.</source>
            <translation>打开含脉冲的序列，再把鼠标移到图片上。</translation>
        </message>
        <message>
            <source>This sequence has no spikes. Add them with File ▸ Add spikes, then move the mouse over a picture.</source>
            <translation>此序列没有脉冲。用“文件 ▸ 添加脉冲”添加，再把鼠标移到图片上。</translation>
        </message>
        <message>
            <source>Move the mouse over a picture to see when the pixels under it fired.</source>
            <translation>把鼠标移到图片上，查看其下像素何时发放脉冲。</translation>
        </message>
        <message>
            <source>{count} spikes during the exposure</source>
            <translation>曝光期间 {count} 个脉冲</translation>
        </message>
        <message>
            <source>, {mean} planes apart on average ({least} to {most})</source>
            <translation>，平均相隔 {mean} 个平面（{least} 到 {most}）</translation>
        </message>
        <message>
            <source> · {count} in bin {number}</source>
            <translation> · 第 {number} 格中 {count} 个</translation>
        </message>
        <message>
            <source> · only the beginning of this long exposure is shown</source>
            <translation> · 只显示这段长曝光的开头</translation>
        </message>
    </context>
    <context>
        <name>ReadingDialog</name>
        <message>
            <source>Units, white level and sensor's pattern</source>
            <translation>单位、白电平与传感器固定图案</translation>
        </message>
        <message>
            <source>Find out</source>
            <translation>自动</translation>
        </message>
        <message>
            <source>Seconds</source>
            <translation>秒</translation>
        </message>
        <message>
            <source>Milliseconds</source>
            <translation>毫秒</translation>
        </message>
        <message>
            <source>Microseconds</source>
            <translation>微秒</translation>
        </message>
        <message>
            <source>Nanoseconds</source>
            <translation>纳秒</translation>
        </message>
        <message>
            <source>Planes</source>
            <translation>平面数</translation>
        </message>
        <message>
            <source>Unit of times</source>
            <translation>时间单位</translation>
        </message>
        <message>
            <source>White sample</source>
            <translation>白色采样值</translation>
        </message>
        <message>
            <source>The largest sample of {bits} bits</source>
            <translation>{bits} 位的最大采样值</translation>
        </message>
        <message>
            <source>Event lists and alignment logs count time in</source>
            <translation>事件列表和对齐日志的时间单位</translation>
        </message>
        <message>
            <source>Sample that is white in frames with 16 bits</source>
            <translation>16 位帧中表示白色的采样值</translation>
        </message>
        <message>
            <source>Sensor's pattern is taken from</source>
            <translation>传感器固定图案取自</translation>
        </message>
    </context>
    <context>
        <name>RecentMenu</name>
        <message>
            <source>Open recent</source>
            <translation>打开最近的</translation>
        </message>
        <message>
            <source>Clear list</source>
            <translation>清空列表</translation>
        </message>
        <message>
            <source>Forget what was opened; the files stay</source>
            <translation>忘记打开过的内容；文件保留</translation>
        </message>
    </context>
    <context>
        <name>RecentRow</name>
        <message>
            <source>Open {path}</source>
            <translation>打开 {path}</translation>
        </message>
    </context>
    <context>
        <name>Recording</name>
        <message>
            <source>the file says so</source>
            <translation>文件中注明</translation>
        </message>
        <message>
            <source>as the bits look</source>
            <translation>根据数据位判断</translation>
        </message>
        <message>
            <source>a usual size</source>
            <translation>常见尺寸</translation>
        </message>
        <message>
            <source>a usual size, cut</source>
            <translation>常见尺寸，被截断</translation>
        </message>
        <message>
            <source>as typed</source>
            <translation>按输入</translation>
        </message>
        <message>
            <source>no whole plane</source>
            <translation>没有完整的平面</translation>
        </message>
        <message>
            <source>1 plane</source>
            <translation>1 个平面</translation>
        </message>
        <message>
            <source>{count} planes</source>
            <translation>{count} 个平面</translation>
        </message>
        <message>
            <source>{height} rows of {width} pixels, {planes}</source>
            <translation>{height} 行 × {width} 像素，{planes}</translation>
        </message>
        <message>
            <source>Bytes are left over: the file is cut short, or this is not its size</source>
            <translation>有剩余字节：文件被截断，或尺寸不对</translation>
        </message>
        <message>
            <source>The score is about 1 where rows are as alike as neighbouring pixels are</source>
            <translation>当相邻行与相邻像素同样相似时，得分约为 1</translation>
        </message>
        <message>
            <source> · score {score}</source>
            <translation> · 得分 {score}</translation>
        </message>
        <message>
            <source>clear from the bits, score {score}</source>
            <translation>由数据位可确定，得分 {score}</translation>
        </message>
        <message>
            <source>likely from the bits, score {score}</source>
            <translation>由数据位推测，得分 {score}</translation>
        </message>
        <message>
            <source>as found</source>
            <translation>如检测所得</translation>
        </message>
        <message>
            <source>as you say</source>
            <translation>按您的选择</translation>
        </message>
        <message>
            <source>config.yaml says so</source>
            <translation>config.yaml 中注明</translation>
        </message>
        <message>
            <source>as the frames show</source>
            <translation>由帧判断</translation>
        </message>
        <message>
            <source>as is usual</source>
            <translation>按惯例</translation>
        </message>
        <message>
            <source>no packed bits</source>
            <translation>非打包数据位</translation>
        </message>
        <message>
            <source>highest bit first</source>
            <translation>高位在前</translation>
        </message>
        <message>
            <source>lowest bit first</source>
            <translation>低位在前</translation>
        </message>
        <message>
            <source>not said</source>
            <translation>未指定</translation>
        </message>
    </context>
    <context>
        <name>RecordingDialog</name>
        <message>
            <source>Recording</source>
            <translation>录制</translation>
        </message>
        <message>
            <source>Geometry</source>
            <translation>几何尺寸</translation>
        </message>
        <message>
            <source>Which way up</source>
            <translation>上下方向</translation>
        </message>
        <message>
            <source>Planes</source>
            <translation>平面数</translation>
        </message>
        <message>
            <source>Which planes the pictures are the mean of, from the first to the last</source>
            <translation>图片取哪些平面的均值，从第一个到最后一个</translation>
        </message>
        <message>
            <source>Planes that the pictures show</source>
            <translation>图片显示的平面</translation>
        </message>
        <message>
            <source>Rows of the spike camera, in pixels</source>
            <translation>脉冲相机的行数（像素）</translation>
        </message>
        <message>
            <source>Columns of the spike camera, in pixels</source>
            <translation>脉冲相机的列数（像素）</translation>
        </message>
        <message>
            <source>Planes per second; Vidar cameras record 20 000 or 40 000</source>
            <translation>每秒平面数；Vidar 相机为 20 000 或 40 000</translation>
        </message>
        <message>
            <source>Rows</source>
            <translation>行</translation>
        </message>
        <message>
            <source>Find out</source>
            <translation>自动</translation>
        </message>
        <message>
            <source>As a config.yaml or the frames show it; else bottom row first, as is usual</source>
            <translation>依照 config.yaml 或帧判断；否则按惯例底行在前</translation>
        </message>
        <message>
            <source>Bottom first</source>
            <translation>底行在前</translation>
        </message>
        <message>
            <source>The bottom row of a plane is stored first</source>
            <translation>平面的底行最先存储</translation>
        </message>
        <message>
            <source>Top first</source>
            <translation>顶行在前</translation>
        </message>
        <message>
            <source>The top row of a plane is stored first</source>
            <translation>平面的顶行最先存储</translation>
        </message>
        <message>
            <source>Bits</source>
            <translation>位</translation>
        </message>
        <message>
            <source>As the bits look; else lowest bit first, as is usual</source>
            <translation>根据数据位判断；否则按惯例低位在前</translation>
        </message>
        <message>
            <source>Lowest first</source>
            <translation>低位在前</translation>
        </message>
        <message>
            <source>The least significant bit of a byte is the first of its eight pixels</source>
            <translation>字节的最低位是其八个像素中的第一个</translation>
        </message>
        <message>
            <source>Highest first</source>
            <translation>高位在前</translation>
        </message>
        <message>
            <source>The most significant bit of a byte is the first of its eight pixels</source>
            <translation>字节的最高位是其八个像素中的第一个</translation>
        </message>
        <message>
            <source>Length of one exposure, in planes</source>
            <translation>一次曝光的长度（平面）</translation>
        </message>
        <message>
            <source>From the start of one exposure to the next, in planes</source>
            <translation>从一次曝光开始到下一次开始（平面）</translation>
        </message>
        <message>
            <source>Pictures from</source>
            <translation>图像取自</translation>
        </message>
        <message>
            <source>Height × width</source>
            <translation>高 × 宽</translation>
        </message>
        <message>
            <source>Rows are stored</source>
            <translation>行的存储顺序</translation>
        </message>
        <message>
            <source>Bits of a byte are stored</source>
            <translation>字节内位的存储顺序</translation>
        </message>
        <message>
            <source>Rate</source>
            <translation>速率</translation>
        </message>
        <message>
            <source>Exposure and stride of its frames</source>
            <translation>帧的曝光与间隔</translation>
        </message>
        <message>
            <source>{rate} Hz, as found</source>
            <translation>{rate} Hz（检测所得）</translation>
        </message>
        <message>
            <source>Bottom row first</source>
            <translation>底行在前</translation>
        </message>
        <message>
            <source>Top row first</source>
            <translation>顶行在前</translation>
        </message>
        <message>
            <source>rate not known</source>
            <translation>速率未知</translation>
        </message>
        <message>
            <source>{time} at {rate} Hz</source>
            <translation>{time}（{rate} Hz）</translation>
        </message>
        <message>
            <source> · {count} bytes left over</source>
            <translation> · 剩余 {count} 字节</translation>
        </message>
        <message>
            <source>Looking at the file …</source>
            <translation>正在查看文件…</translation>
        </message>
        <message>
            <source>read the recording</source>
            <translation>读取录制</translation>
        </message>
        <message>
            <source>The file has {count} bytes, which no usual size fits. Type its height and width.</source>
            <translation>文件有 {count} 字节，与任何常见尺寸都不符。请输入高和宽。</translation>
        </message>
        <message>
            <source>{count} bytes are left over after the last whole plane: the file is cut short, or this is not its size.</source>
            <translation>最后一个完整平面之后剩余 {count} 字节：文件被截断，或尺寸不对。</translation>
        </message>
        <message>
            <source>Nothing says how large a plane is. Choose the picture that is neither sheared nor torn.</source>
            <translation>没有任何信息说明平面的大小。请选择既不倾斜也不撕裂的图像。</translation>
        </message>
    </context>
    <context>
        <name>Reports</name>
        <message>
            <source>open the sequence</source>
            <translation>打开序列</translation>
        </message>
        <message>
            <source>read the frame</source>
            <translation>读取帧</translation>
        </message>
        <message>
            <source>read the spikes</source>
            <translation>读取脉冲</translation>
        </message>
        <message>
            <source>compare with the reference</source>
            <translation>与参考图比较</translation>
        </message>
        <message>
            <source>write the file</source>
            <translation>写入文件</translation>
        </message>
        <message>
            <source>Nothing here can be opened</source>
            <translation>这里没有可以打开的内容</translation>
        </message>
        <message>
            <source>Choose a folder of frames, a video or a spike recording (.dat, .npz, .npy)</source>
            <translation>请选择帧文件夹、视频或脉冲录制文件（.dat、.npz、.npy）</translation>
        </message>
        <message>
            <source>Some of these files were not opened</source>
            <translation>其中一些文件没有打开</translation>
        </message>
        <message>
            <source>Open them with the frames that they belong to, one sequence at a time</source>
            <translation>请把它们与所属的帧一起打开，一次一个序列</translation>
        </message>
        <message>
            <source>Only the first {most} of {count} sequences were opened</source>
            <translation>{count} 个序列中只打开了前 {most} 个</translation>
        </message>
        <message>
            <source>Open their folder instead: the data set panel then lists them all</source>
            <translation>请改为打开它们所在的文件夹：数据集面板会列出全部序列</translation>
        </message>
        <message>
            <source>The alignment of 1 frame is again as you had edited it</source>
            <translation>1 帧的对齐已恢复为您编辑过的状态</translation>
        </message>
        <message>
            <source>The alignment of {frames} frames is again as you had edited it</source>
            <translation>{frames} 帧的对齐已恢复为您编辑过的状态</translation>
        </message>
        <message>
            <source>Edit ▸ Undo returns to the files' windows; Alignment ▸ Export log keeps yours</source>
            <translation>“编辑 ▸ 撤销”可回到文件中的窗口；“对齐 ▸ 导出对齐记录”可保存您的窗口</translation>
        </message>
        <message>
            <source>Memory for restored frames is full ({mib} MiB): those not looked at for longest are let go</source>
            <translation>复原帧的内存已满（{mib} MiB）：最久未查看的帧将被释放</translation>
        </message>
        <message>
            <source>Export what is restored, then restore the next range</source>
            <translation>请先导出已复原的帧，再复原下一段范围</translation>
        </message>
        <message>
            <source>While deblurring, {remark}</source>
            <translation>去模糊时：{remark}</translation>
        </message>
        <message>
            <source>Deblurring stopped: {problem}</source>
            <translation>去模糊已停止：{problem}</translation>
        </message>
        <message>
            <source>The export was stopped, because its sequence was closed</source>
            <translation>序列已关闭，导出因此停止</translation>
        </message>
        <message>
            <source>The files that were written are whole; export the rest again</source>
            <translation>已写出的文件是完整的；请重新导出其余部分</translation>
        </message>
        <message>
            <source>Exported</source>
            <translation>已导出</translation>
        </message>
        <message>
            <source>Exported {count} frames</source>
            <translation>已导出 {count} 帧</translation>
        </message>
    </context>
    <context>
        <name>RestorePanel</name>
        <message>
            <source>What restores</source>
            <translation>用什么复原</translation>
        </message>
        <message>
            <source>Add network…</source>
            <translation>添加网络…</translation>
        </message>
        <message>
            <source>Use a network from a file: .safetensors, .pth, .pt or .ckpt</source>
            <translation>使用文件中的网络：.safetensors、.pth、.pt 或 .ckpt</translation>
        </message>
        <message>
            <source>Remove</source>
            <translation>移除</translation>
        </message>
        <message>
            <source>Take this network off the list; its file stays</source>
            <translation>把此网络从列表中去掉；文件保留</translation>
        </message>
        <message>
            <source>Where the network computes: auto takes a GPU if there is one; also cuda:1 …</source>
            <translation>网络在哪里计算：auto 有 GPU 时用 GPU；也可写 cuda:1 等</translation>
        </message>
        <message>
            <source>auto: bf16 on GPUs that compute with it, else fp32</source>
            <translation>auto：支持时在 GPU 上用 bf16，否则 fp32</translation>
        </message>
        <message>
            <source>Longest edge of a tile; auto takes what fits the memory</source>
            <translation>分块的最长边；auto 取内存容得下的大小</translation>
        </message>
        <message>
            <source> frames</source>
            <translation> 帧</translation>
        </message>
        <message>
            <source>Frames restored together; auto takes what the network was made for</source>
            <translation>一起复原的帧数；auto 取网络设计的帧数</translation>
        </message>
        <message>
            <source> GiB</source>
            <translation> GiB</translation>
        </message>
        <message>
            <source>What computing may take; auto: half of the free memory, 9 tenths of a GPU's</source>
            <translation>计算可用的内存；auto：空闲内存的一半，GPU 的十分之九</translation>
        </message>
        <message>
            <source>Device</source>
            <translation>设备</translation>
        </message>
        <message>
            <source>Precision</source>
            <translation>精度</translation>
        </message>
        <message>
            <source>Tile</source>
            <translation>分块</translation>
        </message>
        <message>
            <source>Clip</source>
            <translation>片段</translation>
        </message>
        <message>
            <source>Memory</source>
            <translation>内存</translation>
        </message>
        <message>
            <source>Restore with</source>
            <translation>复原方法</translation>
        </message>
        <message>
            <source>Compute</source>
            <translation>计算</translation>
        </message>
        <message>
            <source> (cannot be used)</source>
            <translation>（无法使用）</translation>
        </message>
        <message>
            <source>add the network</source>
            <translation>添加网络</translation>
        </message>
        <message>
            <source>Add network</source>
            <translation>添加网络</translation>
        </message>
        <message>
            <source>All files (*)</source>
            <translation>所有文件 (*)</translation>
        </message>
        <message>
            <source>Networks ({files})</source>
            <translation>网络 ({files})</translation>
        </message>
        <message>
            <source>The worker computes in {layout}.</source>
            <translation>计算进程的分块：{layout}。</translation>
        </message>
        <message>
            <source>{time} left by the pace so far.</source>
            <translation>按目前的速度还需 {time}。</translation>
        </message>
    </context>
    <context>
        <name>Restoring</name>
        <message>
            <source>Spike ratio</source>
            <translation>脉冲比</translation>
        </message>
        <message>
            <source>No training, no model: from each frame and its spikes alone</source>
            <translation>不需要训练和模型：只用每帧及其脉冲</translation>
        </message>
        <message>
            <source>It needs a model: add one from a file ({suffixes})</source>
            <translation>它需要一个模型：请从文件添加（{suffixes}）</translation>
        </message>
        <message>
            <source>There is no such method any more: install its package again, or choose another</source>
            <translation>这个方法已不存在：请重新安装它的软件包，或选择另一种方法</translation>
        </message>
        <message>
            <source>Network {name}</source>
            <translation>网络 {name}</translation>
        </message>
        <message>
            <source>Its file does not say how it takes spikes: known once it has restored a frame</source>
            <translation>它的文件没有说明如何读取脉冲：复原一帧之后便可得知</translation>
        </message>
        <message>
            <source>Takes {frames} frames at a time, and no spikes</source>
            <translation>每次处理 {frames} 帧，不使用脉冲</translation>
        </message>
        <message>
            <source>Takes {frames} frames at a time, and their spikes in {bins} bins ({transform})</source>
            <translation>每次处理 {frames} 帧，其脉冲分为 {bins} 个体素格（{transform}）</translation>
        </message>
    </context>
    <context>
        <name>SensorPattern</name>
        <message>
            <source>measure the sensor's pattern</source>
            <translation>测量传感器固定图案</translation>
        </message>
    </context>
    <context>
        <name>SequenceTabs</name>
        <message>
            <source>Open sequences</source>
            <translation>打开的序列</translation>
        </message>
    </context>
    <context>
        <name>SessionKeeper</name>
        <message>
            <source>open the last session</source>
            <translation>打开上次的会话</translation>
        </message>
        <message>
            <source>The studio ended while it opened the last session, which is therefore left closed</source>
            <translation>软件上次在打开会话时退出，因此这次不自动打开</translation>
        </message>
        <message>
            <source>File ▸ Reopen last session tries again</source>
            <translation>“文件 ▸ 重新打开上次的会话”可再试一次</translation>
        </message>
        <message>
            <source>1 of what was open last is gone</source>
            <translation>上次打开的内容中有 1 个已不在</translation>
        </message>
        <message>
            <source>{count} of what was open last are gone</source>
            <translation>上次打开的内容中有 {count} 个已不在</translation>
        </message>
        <message>
            <source>Moved files can be opened where they are now; a disk may not be connected</source>
            <translation>移动过的文件可在新位置打开；也可能是磁盘没有连接</translation>
        </message>
    </context>
    <context>
        <name>ShortcutEditor</name>
        <message>
            <source>Keyboard shortcuts</source>
            <translation>键盘快捷键</translation>
        </message>
        <message>
            <source>Search by name or keys</source>
            <translation>按名称或按键搜索</translation>
        </message>
        <message>
            <source>Action</source>
            <translation>操作</translation>
        </message>
        <message>
            <source>Keys</source>
            <translation>按键</translation>
        </message>
        <message>
            <source>Actions and their keys</source>
            <translation>操作及其按键</translation>
        </message>
        <message>
            <source>New keys</source>
            <translation>新按键</translation>
        </message>
        <message>
            <source>Set</source>
            <translation>设定</translation>
        </message>
        <message>
            <source>Take them</source>
            <translation>占用</translation>
        </message>
        <message>
            <source>Usual keys</source>
            <translation>默认按键</translation>
        </message>
        <message>
            <source>Usual keys for all</source>
            <translation>全部恢复默认</translation>
        </message>
        <message>
            <source>These keys belong to “{name}”, which would have none then.</source>
            <translation>这些按键属于“{name}”，占用后它将没有按键。</translation>
        </message>
    </context>
    <context>
        <name>StatusLine</name>
        <message>
            <source>exposed in planes {span}</source>
            <translation>曝光平面 {span}</translation>
        </message>
        <message>
            <source>{start} to {stop}</source>
            <translation>{start} 至 {stop}</translation>
        </message>
        <message>
            <source>{size} px, {bits} bit</source>
            <translation>{size} 像素，{bits} 位</translation>
        </message>
        <message>
            <source>results {size} MiB</source>
            <translation>结果 {size} MiB</translation>
        </message>
        <message>
            <source>{spikes} spikes in {planes} planes</source>
            <translation>{planes} 个平面中 {spikes} 个脉冲</translation>
        </message>
        <message>
            <source>, every {planes}</source>
            <translation>，每 {planes}</translation>
        </message>
        <message>
            <source>, gain {gain}</source>
            <translation>，增益 {gain}</translation>
        </message>
        <message>
            <source>Pixel ({x}, {y}) of the spike camera</source>
            <translation>脉冲相机的像素 ({x}, {y})</translation>
        </message>
    </context>
    <context>
        <name>StudioToolBar</name>
        <message>
            <source>Tools</source>
            <translation>工具</translation>
        </message>
        <message>
            <source>Open</source>
            <translation>打开</translation>
        </message>
        <message>
            <source>Sample</source>
            <translation>示例</translation>
        </message>
        <message>
            <source>Deblur</source>
            <translation>去模糊</translation>
        </message>
        <message>
            <source>Export</source>
            <translation>导出</translation>
        </message>
        <message>
            <source>Notes</source>
            <translation>说明</translation>
        </message>
        <message>
            <source>1 note</source>
            <translation>1 条说明</translation>
        </message>
        <message>
            <source>{count} notes</source>
            <translation>{count} 条说明</translation>
        </message>
    </context>
    <context>
        <name>Timeline</name>
        <message>
            <source>Timeline</source>
            <translation>时间轴</translation>
        </message>
        <message>
            <source>Plane {plane}</source>
            <translation>平面 {plane}</translation>
        </message>
        <message>
            <source>{rate} spikes per pixel in this plane</source>
            <translation>此平面每像素 {rate} 个脉冲</translation>
        </message>
        <message>
            <source>Frame {frame} · {name}</source>
            <translation>第 {frame} 帧 · {name}</translation>
        </message>
        <message>
            <source>exposed in planes {span}</source>
            <translation>曝光平面 {span}</translation>
        </message>
        <message>
            <source>This window is a guess: no log or layout says it</source>
            <translation>此窗口是猜测：没有记录或布局说明它</translation>
        </message>
        <message>
            <source>Restored with another gamma or window</source>
            <translation>用其他伽马或窗口复原</translation>
        </message>
        <message>
            <source>Restored</source>
            <translation>复原</translation>
        </message>
        <message>
            <source>Edited: not as in the files</source>
            <translation>已编辑：与文件不同</translation>
        </message>
        <message>
            <source> planes</source>
            <translation> 平面</translation>
        </message>
        <message>
            <source>Spike rate</source>
            <translation>脉冲率</translation>
        </message>
        <message>
            <source>No spikes: the windows come from the alignment log</source>
            <translation>没有脉冲：窗口来自对齐记录</translation>
        </message>
        <message>
            <source>Counting spikes … {share}</source>
            <translation>正在统计脉冲… {share}</translation>
        </message>
        <message>
            <source>Spike rate · peak {peak} a pixel and plane</source>
            <translation>脉冲率 · 峰值 {peak}（每像素每平面）</translation>
        </message>
        <message>
            <source>Not one spike in this recording</source>
            <translation>此录制中没有脉冲</translation>
        </message>
        <message>
            <source>Windows are a guess</source>
            <translation>窗口为推测值</translation>
        </message>
        <message>
            <source>This sequence has no spikes. File ▸ Add spikes… takes its recording.</source>
            <translation>此序列没有脉冲。用“文件 ▸ 添加脉冲…”添加它的录制。</translation>
        </message>
    </context>
    <context>
        <name>Transport</name>
        <message>
            <source>Frame</source>
            <translation>帧</translation>
        </message>
        <message>
            <source>Frame on screen. Arrow keys step, Home and End go to the ends</source>
            <translation>屏幕上的帧。方向键逐帧移动，Home 和 End 到两端</translation>
        </message>
    </context>
    <context>
        <name>Unchanged</name>
        <message>
            <source>its window holds 1 plane only</source>
            <translation>其窗口内只有 1 个脉冲平面</translation>
        </message>
        <message>
            <source>its window holds {count} planes only</source>
            <translation>其窗口内只有 {count} 个脉冲平面</translation>
        </message>
        <message>
            <source>its window holds no planes</source>
            <translation>其窗口内没有脉冲平面</translation>
        </message>
        <message>
            <source>its spikes are missing</source>
            <translation>缺少它的脉冲</translation>
        </message>
        <message>
            <source>its window holds no spikes</source>
            <translation>其窗口内没有脉冲</translation>
        </message>
        <message>
            <source>its window holds too few spikes</source>
            <translation>其窗口中的脉冲太少</translation>
        </message>
        <message>
            <source>its window lies too far outside the recording</source>
            <translation>其窗口大部分在录制之外</translation>
        </message>
        <message>
            <source>its spikes show no motion, so there is nothing to deblur</source>
            <translation>其脉冲未显示运动，无需去模糊</translation>
        </message>
        <message>
            <source>its spikes do not agree with it</source>
            <translation>其脉冲与该帧不符</translation>
        </message>
        <message>
            <source>the method found nothing to change</source>
            <translation>该方法没有可改变之处</translation>
        </message>
        <message>
            <source>Unchanged frame {numbers}: {reason}</source>
            <translation>未改变的帧 {numbers}：{reason}</translation>
        </message>
        <message>
            <source>{unchanged} of {count} frames unchanged</source>
            <translation>{count} 帧中有 {unchanged} 帧未改变</translation>
        </message>
    </context>
    <context>
        <name>VoxelStrip</name>
        <message>
            <source>Counts of spikes</source>
            <translation>脉冲计数</translation>
        </message>
        <message>
            <source>As the network takes them</source>
            <translation>按网络的输入</translation>
        </message>
        <message>
            <source>Grey</source>
            <translation>灰度</translation>
        </message>
        <message>
            <source>Cool to warm</source>
            <translation>冷到暖</translation>
        </message>
        <message>
            <source>A scale of its own for every bin</source>
            <translation>每格各用自己的尺度</translation>
        </message>
        <message>
            <source>How the voxel bins are shown</source>
            <translation>体素格的显示方式</translation>
        </message>
        <message>
            <source>Voxel bins</source>
            <translation>体素格</translation>
        </message>
        <message>
            <source>Voxel bin {number} of {count}</source>
            <translation>体素格 {number}/{count}</translation>
        </message>
        <message>
            <source>{count} spikes</source>
            <translation>{count} 个脉冲</translation>
        </message>
        <message>
            <source>Click to select, double click to show it large; arrow keys go on</source>
            <translation>单击选择，双击放大显示；方向键前后移动</translation>
        </message>
        <message>
            <source>Bin {number} · {span} · {spikes} spikes</source>
            <translation>第 {number} 格 · {span} · {spikes} 个脉冲</translation>
        </message>
        <message>
            <source>Voxel bins of frame {frame} · {count} × {planes} planes</source>
            <translation>第 {frame} 帧的体素格 · {count} × {planes} 个平面</translation>
        </message>
        <message>
            <source> · {count} spikes</source>
            <translation> · {count} 个脉冲</translation>
        </message>
        <message>
            <source> · every bin on a scale of its own</source>
            <translation> · 每格各用自己的尺度</translation>
        </message>
        <message>
            <source> · network values {low} to {high}</source>
            <translation> · 网络值 {low} 到 {high}</translation>
        </message>
        <message>
            <source> · white: {count} a pixel</source>
            <translation> · 白：每像素 {count}</translation>
        </message>
        <message>
            <source> · counts: how the network takes them is not known</source>
            <translation> · 计数：尚不知道网络如何读取它们</translation>
        </message>
        <message>
            <source> · {planes} planes lie outside the recording</source>
            <translation> · {planes} 个平面在录制之外</translation>
        </message>
    </context>
    <context>
        <name>WindowEdits</name>
        <message>
            <source>Window of frame {frame}</source>
            <translation>第 {frame} 帧的窗口</translation>
        </message>
        <message>
            <source>Drag window {frame}</source>
            <translation>拖动窗口 {frame}</translation>
        </message>
        <message>
            <source>Start of frame {frame}</source>
            <translation>第 {frame} 帧的起点</translation>
        </message>
        <message>
            <source>Stop of frame {frame}</source>
            <translation>第 {frame} 帧的终点</translation>
        </message>
        <message>
            <source>Move window {frame}</source>
            <translation>移动窗口 {frame}</translation>
        </message>
        <message>
            <source>Length of frame {frame}</source>
            <translation>第 {frame} 帧的长度</translation>
        </message>
        <message>
            <source>Shift all by {planes} planes</source>
            <translation>全部平移 {planes} 个平面</translation>
        </message>
        <message>
            <source>Scale all to {factor}</source>
            <translation>全部缩放到 {factor}</translation>
        </message>
        <message>
            <source>Drift {planes} planes a frame</source>
            <translation>每帧漂移 {planes} 个平面</translation>
        </message>
        <message>
            <source>Windows as in the files</source>
            <translation>恢复文件中的窗口</translation>
        </message>
    </context>
    <context>
        <name>WipeGrip</name>
        <message>
            <source>Drag the line to compare both pictures</source>
            <translation>拖动分界线比较两张图片</translation>
        </message>
    </context>
    <context>
        <name>Actions</name>
        <message>
            <source>10 frames back</source>
            <translation>后退 10 帧</translation>
        </message>
        <message>
            <source>10 frames on</source>
            <translation>前进 10 帧</translation>
        </message>
        <message>
            <source>About Spike Deblur Studio</source>
            <translation>关于 Spike Deblur Studio</translation>
        </message>
        <message>
            <source>Actual size</source>
            <translation>实际大小</translation>
        </message>
        <message>
            <source>Add alignment log…</source>
            <translation>添加对齐记录…</translation>
        </message>
        <message>
            <source>Add reference…</source>
            <translation>添加参考…</translation>
        </message>
        <message>
            <source>Add spikes…</source>
            <translation>添加脉冲…</translation>
        </message>
        <message>
            <source>Alignment panel</source>
            <translation>对齐面板</translation>
        </message>
        <message>
            <source>Begin range here</source>
            <translation>范围从这里开始</translation>
        </message>
        <message>
            <source>Begin with last session</source>
            <translation>启动时恢复上次会话</translation>
        </message>
        <message>
            <source>Blink</source>
            <translation>闪烁</translation>
        </message>
        <message>
            <source>By the network</source>
            <translation>用网络</translation>
        </message>
        <message>
            <source>By the spike ratio</source>
            <translation>用脉冲比</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <source>Cancel job</source>
            <translation>取消任务</translation>
        </message>
        <message>
            <source>Clear ended jobs</source>
            <translation>清除已结束的任务</translation>
        </message>
        <message>
            <source>Clear range</source>
            <translation>清除范围</translation>
        </message>
        <message>
            <source>Close sequence</source>
            <translation>关闭序列</translation>
        </message>
        <message>
            <source>Contrast as in the files</source>
            <translation>文件中的对比度</translation>
        </message>
        <message>
            <source>Copy picture of panes</source>
            <translation>复制窗格图片</translation>
        </message>
        <message>
            <source>Dark theme</source>
            <translation>深色主题</translation>
        </message>
        <message>
            <source>Data set panel</source>
            <translation>数据集面板</translation>
        </message>
        <message>
            <source>Deblur all</source>
            <translation>对全部帧去模糊</translation>
        </message>
        <message>
            <source>Deblur frame</source>
            <translation>对当前帧去模糊</translation>
        </message>
        <message>
            <source>Deblur range</source>
            <translation>对范围去模糊</translation>
        </message>
        <message>
            <source>Deblur what is visible</source>
            <translation>对可见部分去模糊</translation>
        </message>
        <message>
            <source>Deblurring panel</source>
            <translation>去模糊面板</translation>
        </message>
        <message>
            <source>Difference from blurry</source>
            <translation>与模糊帧的差</translation>
        </message>
        <message>
            <source>Difference from reference</source>
            <translation>与参考的差</translation>
        </message>
        <message>
            <source>Earlier turn</source>
            <translation>提前</translation>
        </message>
        <message>
            <source>End range here</source>
            <translation>范围到这里结束</translation>
        </message>
        <message>
            <source>English</source>
            <translation>English</translation>
        </message>
        <message>
            <source>Export all restored frames…</source>
            <translation>导出全部复原帧…</translation>
        </message>
        <message>
            <source>Export frame…</source>
            <translation>导出当前帧…</translation>
        </message>
        <message>
            <source>Export log…</source>
            <translation>导出对齐记录…</translation>
        </message>
        <message>
            <source>Export…</source>
            <translation>导出…</translation>
        </message>
        <message>
            <source>Find a command…</source>
            <translation>查找命令…</translation>
        </message>
        <message>
            <source>First frame</source>
            <translation>第一帧</translation>
        </message>
        <message>
            <source>Flip while held</source>
            <translation>按住翻转</translation>
        </message>
        <message>
            <source>Four panes</source>
            <translation>四个窗格</translation>
        </message>
        <message>
            <source>Help</source>
            <translation>帮助</translation>
        </message>
        <message>
            <source>Import log…</source>
            <translation>导入对齐记录…</translation>
        </message>
        <message>
            <source>Keep this sensor's pattern…</source>
            <translation>保存此传感器的固定图案…</translation>
        </message>
        <message>
            <source>Keyboard shortcuts…</source>
            <translation>键盘快捷键…</translation>
        </message>
        <message>
            <source>Language of the system</source>
            <translation>跟随系统语言</translation>
        </message>
        <message>
            <source>Last frame</source>
            <translation>最后一帧</translation>
        </message>
        <message>
            <source>Later turn</source>
            <translation>推后</translation>
        </message>
        <message>
            <source>Light theme</source>
            <translation>浅色主题</translation>
        </message>
        <message>
            <source>Measure whole picture</source>
            <translation>测量整张图片</translation>
        </message>
        <message>
            <source>Next frame</source>
            <translation>下一帧</translation>
        </message>
        <message>
            <source>Next tab</source>
            <translation>下一个标签页</translation>
        </message>
        <message>
            <source>Next voxel bin</source>
            <translation>下一个体素格</translation>
        </message>
        <message>
            <source>Notes on this sequence</source>
            <translation>关于此序列的说明</translation>
        </message>
        <message>
            <source>One pane</source>
            <translation>一个窗格</translation>
        </message>
        <message>
            <source>Open folder…</source>
            <translation>打开文件夹…</translation>
        </message>
        <message>
            <source>Open recording…</source>
            <translation>打开脉冲录制…</translation>
        </message>
        <message>
            <source>Open sample</source>
            <translation>打开示例</translation>
        </message>
        <message>
            <source>Open…</source>
            <translation>打开…</translation>
        </message>
        <message>
            <source>Pause or resume job</source>
            <translation>暂停或继续任务</translation>
        </message>
        <message>
            <source>Picture panel</source>
            <translation>图片面板</translation>
        </message>
        <message>
            <source>Play</source>
            <translation>播放</translation>
        </message>
        <message>
            <source>Play every frame</source>
            <translation>播放每一帧</translation>
        </message>
        <message>
            <source>Play faster</source>
            <translation>加快播放</translation>
        </message>
        <message>
            <source>Play round and round</source>
            <translation>循环播放</translation>
        </message>
        <message>
            <source>Play slower</source>
            <translation>减慢播放</translation>
        </message>
        <message>
            <source>Play voxel bins</source>
            <translation>播放体素格</translation>
        </message>
        <message>
            <source>Previous frame</source>
            <translation>上一帧</translation>
        </message>
        <message>
            <source>Previous tab</source>
            <translation>上一个标签页</translation>
        </message>
        <message>
            <source>Previous voxel bin</source>
            <translation>上一个体素格</translation>
        </message>
        <message>
            <source>Queue panel</source>
            <translation>队列面板</translation>
        </message>
        <message>
            <source>Quit</source>
            <translation>退出</translation>
        </message>
        <message>
            <source>Raster panel</source>
            <translation>脉冲光栅面板</translation>
        </message>
        <message>
            <source>Read data set again</source>
            <translation>重新读取数据集</translation>
        </message>
        <message>
            <source>Recording settings…</source>
            <translation>录制设置…</translation>
        </message>
        <message>
            <source>Redo</source>
            <translation>重做</translation>
        </message>
        <message>
            <source>Reopen last session</source>
            <translation>重新打开上次会话</translation>
        </message>
        <message>
            <source>Save picture of panes…</source>
            <translation>保存窗格图片…</translation>
        </message>
        <message>
            <source>Show blurry</source>
            <translation>显示模糊帧</translation>
        </message>
        <message>
            <source>Show intervals of the spikes (TFI)</source>
            <translation>显示脉冲间隔 (TFI)</translation>
        </message>
        <message>
            <source>Show log</source>
            <translation>显示日志</translation>
        </message>
        <message>
            <source>Show mean of the spikes (TFP)</source>
            <translation>显示脉冲均值 (TFP)</translation>
        </message>
        <message>
            <source>Show next result</source>
            <translation>显示下一个结果</translation>
        </message>
        <message>
            <source>Show reference</source>
            <translation>显示参考</translation>
        </message>
        <message>
            <source>Show restored</source>
            <translation>显示复原结果</translation>
        </message>
        <message>
            <source>Show sensor pattern</source>
            <translation>显示传感器固定图案</translation>
        </message>
        <message>
            <source>Show spike ratio, live</source>
            <translation>实时显示脉冲比</translation>
        </message>
        <message>
            <source>Show voxel bin</source>
            <translation>显示体素格</translation>
        </message>
        <message>
            <source>Show whole picture</source>
            <translation>显示整张图片</translation>
        </message>
        <message>
            <source>Smooth pixels</source>
            <translation>平滑像素</translation>
        </message>
        <message>
            <source>Snap</source>
            <translation>吸附</translation>
        </message>
        <message>
            <source>Spikes integrate code values</source>
            <translation>脉冲积分的是编码值</translation>
        </message>
        <message>
            <source>Spikes integrate linear light</source>
            <translation>脉冲积分的是线性光</translation>
        </message>
        <message>
            <source>Start 1 plane earlier</source>
            <translation>起点提前 1 个平面</translation>
        </message>
        <message>
            <source>Start 1 plane later</source>
            <translation>起点推后 1 个平面</translation>
        </message>
        <message>
            <source>Start 10 planes earlier</source>
            <translation>起点提前 10 个平面</translation>
        </message>
        <message>
            <source>Start 10 planes later</source>
            <translation>起点推后 10 个平面</translation>
        </message>
        <message>
            <source>Stop 1 plane earlier</source>
            <translation>终点提前 1 个平面</translation>
        </message>
        <message>
            <source>Stop 1 plane later</source>
            <translation>终点推后 1 个平面</translation>
        </message>
        <message>
            <source>Stop 10 planes earlier</source>
            <translation>终点提前 10 个平面</translation>
        </message>
        <message>
            <source>Stop 10 planes later</source>
            <translation>终点推后 10 个平面</translation>
        </message>
        <message>
            <source>Stretch contrast</source>
            <translation>拉伸对比度</translation>
        </message>
        <message>
            <source>Theme of the system</source>
            <translation>跟随系统主题</translation>
        </message>
        <message>
            <source>Three panes</source>
            <translation>三个窗格</translation>
        </message>
        <message>
            <source>Try job again</source>
            <translation>重试任务</translation>
        </message>
        <message>
            <source>Two panes</source>
            <translation>两个窗格</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>撤销</translation>
        </message>
        <message>
            <source>Units, white level and sensor's pattern…</source>
            <translation>单位、白电平与传感器固定图案…</translation>
        </message>
        <message>
            <source>Use for this sensor from now on</source>
            <translation>今后用于此传感器</translation>
        </message>
        <message>
            <source>Voxel bins</source>
            <translation>体素格</translation>
        </message>
        <message>
            <source>Window 1 plane earlier</source>
            <translation>窗口提前 1 个平面</translation>
        </message>
        <message>
            <source>Window 1 plane later</source>
            <translation>窗口推后 1 个平面</translation>
        </message>
        <message>
            <source>Window 10 planes earlier</source>
            <translation>窗口提前 10 个平面</translation>
        </message>
        <message>
            <source>Window 10 planes later</source>
            <translation>窗口推后 10 个平面</translation>
        </message>
        <message>
            <source>Windows as in the files</source>
            <translation>恢复文件中的窗口</translation>
        </message>
        <message>
            <source>Wipe</source>
            <translation>划像</translation>
        </message>
        <message>
            <source>Zoom in</source>
            <translation>放大</translation>
        </message>
        <message>
            <source>Zoom out</source>
            <translation>缩小</translation>
        </message>
        <message>
            <source>简体中文</source>
            <translation>简体中文</translation>
        </message>
    </context>
    <context>
        <name>Tips</name>
        <message>
            <source>Always dark</source>
            <translation>始终深色</translation>
        </message>
        <message>
            <source>Always light</source>
            <translation>始终浅色</translation>
        </message>
        <message>
            <source>Be light or dark as the desktop is</source>
            <translation>随桌面明暗变化</translation>
        </message>
        <message>
            <source>Begin again at the end of the range</source>
            <translation>到范围末尾后从头开始</translation>
        </message>
        <message>
            <source>Close the open sequence</source>
            <translation>关闭当前序列</translation>
        </message>
        <message>
            <source>Close the window and end the worker</source>
            <translation>结束程序</translation>
        </message>
        <message>
            <source>Compare with a folder of sharp pictures</source>
            <translation>与一个清晰图片文件夹比较</translation>
        </message>
        <message>
            <source>Compute the spike ratio of every frame that is looked at, in the pane under the mouse</source>
            <translation>在鼠标所在窗格对每个看到的帧计算脉冲比</translation>
        </message>
        <message>
            <source>Do what a failed or cancelled job lacks</source>
            <translation>再次运行所选任务</translation>
        </message>
        <message>
            <source>Export pictures under names of your choice, scores as a table, or a comparison video</source>
            <translation>以自选名称导出图片、分数表或对比视频</translation>
        </message>
        <message>
            <source>Find every command by its name, and do it</source>
            <translation>按名称查找并执行任何命令</translation>
        </message>
        <message>
            <source>Flip the panes forth and back, twice a second</source>
            <translation>每秒两次来回翻转窗格</translation>
        </message>
        <message>
            <source>Gamma 1: the spikes were made from the frames' 8-bit values, as in most synthetic sets</source>
            <translation>公开的合成数据集如此（γ 为 1）</translation>
        </message>
        <message>
            <source>Gamma 2.2: a real sensor, beside frames of an ordinary camera</source>
            <translation>真实传感器如此（γ 约为 2.2）</translation>
        </message>
        <message>
            <source>Go one frame back</source>
            <translation>后退一帧</translation>
        </message>
        <message>
            <source>Go one frame on</source>
            <translation>前进一帧</translation>
        </message>
        <message>
            <source>Go round the results by their method</source>
            <translation>依次显示不同方法的结果</translation>
        </message>
        <message>
            <source>Go ten frames back</source>
            <translation>后退十帧</translation>
        </message>
        <message>
            <source>Go ten frames on</source>
            <translation>前进十帧</translation>
        </message>
        <message>
            <source>Go through the voxel bins of this frame, round and round</source>
            <translation>循环播放当前帧的体素格</translation>
        </message>
        <message>
            <source>Go to the first frame</source>
            <translation>到第一帧</translation>
        </message>
        <message>
            <source>Go to the last frame</source>
            <translation>到最后一帧</translation>
        </message>
        <message>
            <source>Interpolate between pixels, or show each as a square</source>
            <translation>在像素间插值，或把每个像素显示为方块</translation>
        </message>
        <message>
            <source>Keep the sensor's pattern for all its recordings that tell less of it</source>
            <translation>保存传感器固定图案，用于该传感器提供得更少的所有录制</translation>
        </message>
        <message>
            <source>Leave out no frame, however long that takes</source>
            <translation>不跳过任何一帧，无论需要多久</translation>
        </message>
        <message>
            <source>Lengthen it</source>
            <translation>让曝光推后十个平面结束</translation>
        </message>
        <message>
            <source>Lengthen it at its end</source>
            <translation>让曝光推后一个平面结束</translation>
        </message>
        <message>
            <source>Lengthen the frame's exposure at its start</source>
            <translation>让曝光提前一个平面开始</translation>
        </message>
        <message>
            <source>Let dragged windows snap to whole planes and neighbours; with Alt they do the contrary</source>
            <translation>拖动的窗口吸附到整数平面和相邻窗口</translation>
        </message>
        <message>
            <source>Let every pane show what its neighbour shows, as long as the key is held</source>
            <translation>按住时每个窗格显示相邻窗格的内容</translation>
        </message>
        <message>
            <source>Let the chosen job wait, or go on with it; what it has finished stays</source>
            <translation>让任务等待，或继续运行</translation>
        </message>
        <message>
            <source>List the folder's sequences again</source>
            <translation>再次查看数据集文件夹</translation>
        </message>
        <message>
            <source>Look up and change shortcuts</source>
            <translation>查看和修改快捷键</translation>
        </message>
        <message>
            <source>Make the change again</source>
            <translation>重做被撤销的修改</translation>
        </message>
        <message>
            <source>Move the chosen job back</source>
            <translation>让任务更晚运行</translation>
        </message>
        <message>
            <source>Move the chosen job forward</source>
            <translation>让任务更早运行</translation>
        </message>
        <message>
            <source>Move the frame's exposure</source>
            <translation>把当前曝光窗口推后十个平面</translation>
        </message>
        <message>
            <source>Open a folder of frames and spikes</source>
            <translation>打开含有帧和脉冲的文件夹</translation>
        </message>
        <message>
            <source>Open a spike recording, and choose its size among pictures of it</source>
            <translation>打开脉冲录制，并从它的图片中选择尺寸</translation>
        </message>
        <message>
            <source>Open a video, a picture or a spike recording</source>
            <translation>打开视频、图片或脉冲录制文件</translation>
        </message>
        <message>
            <source>Open again what was open when the studio ended</source>
            <translation>打开上次结束时打开的内容</translation>
        </message>
        <message>
            <source>Open at every start what was open before; else the sample</source>
            <translation>下次启动时从上次的内容开始</translation>
        </message>
        <message>
            <source>Open the file with the details of what went wrong</source>
            <translation>打开记录了错误细节的文件</translation>
        </message>
        <message>
            <source>Open the page that fits what has the keyboard</source>
            <translation>打开与键盘所在位置相符的页面</translation>
        </message>
        <message>
            <source>Open the sequence that comes with the studio</source>
            <translation>打开随软件附带的序列</translation>
        </message>
        <message>
            <source>Play at the next speed</source>
            <translation>用下一档速度播放</translation>
        </message>
        <message>
            <source>Play at the speed before</source>
            <translation>用上一档速度播放</translation>
        </message>
        <message>
            <source>Play from here, or stop</source>
            <translation>从这里播放，或停止</translation>
        </message>
        <message>
            <source>Read from a CSV file when each frame was exposed</source>
            <translation>使用一份对齐记录</translation>
        </message>
        <message>
            <source>Restore better and slower, with the network that is chosen in the deblurring panel</source>
            <translation>用神经网络复原</translation>
        </message>
        <message>
            <source>Restore every frame of the sequence</source>
            <translation>复原序列的每一帧</translation>
        </message>
        <message>
            <source>Restore in an instant, from each frame and its spikes alone</source>
            <translation>用脉冲比复原，不需要训练</translation>
        </message>
        <message>
            <source>Restore the current frame</source>
            <translation>复原当前帧</translation>
        </message>
        <message>
            <source>Restore the frames between the range's ends</source>
            <translation>复原范围内的帧</translation>
        </message>
        <message>
            <source>Restore the part of the current frame that is in sight, first what is nearest to the cursor</source>
            <translation>复原当前帧中看得见的部分</translation>
        </message>
        <message>
            <source>Save the panes as a picture, just as they are shown</source>
            <translation>把窗格按所见保存为图片</translation>
        </message>
        <message>
            <source>Save the sensor's pattern as a file, which other recordings can be corrected by</source>
            <translation>把传感器固定图案存为文件，可用来校正其他录制</translation>
        </message>
        <message>
            <source>Say the recording's height, width, rate and exposure</source>
            <translation>选择脉冲录制的尺寸、方向和速率</translation>
        </message>
        <message>
            <source>Say what times in logs and event lists count, which sample of the frames is white, and what the sensor's pattern is known by</source>
            <translation>指定记录和事件列表的时间单位、帧中哪个值是白色，以及传感器固定图案由何得知</translation>
        </message>
        <message>
            <source>Select the next voxel bin, and mark it</source>
            <translation>选择并标出下一个体素格</translation>
        </message>
        <message>
            <source>Select the voxel bin before, and mark it</source>
            <translation>选择并标出上一个体素格</translation>
        </message>
        <message>
            <source>Shorten it</source>
            <translation>让曝光提前十个平面结束</translation>
        </message>
        <message>
            <source>Shorten it at its end</source>
            <translation>让曝光提前一个平面结束</translation>
        </message>
        <message>
            <source>Shorten it at its start</source>
            <translation>让曝光推后一个平面开始</translation>
        </message>
        <message>
            <source>Show by how much the picture differs from the blurry frame, and back</source>
            <translation>显示图片与模糊帧的差异，再按一次返回</translation>
        </message>
        <message>
            <source>Show by how much the picture differs from the reference, and back</source>
            <translation>显示图片与参考的差异，再按一次返回</translation>
        </message>
        <message>
            <source>Show every pixel as one pixel of the screen</source>
            <translation>图片的一个像素显示为屏幕的一个像素</translation>
        </message>
        <message>
            <source>Show four pictures in two rows</source>
            <translation>分两行显示四张图片</translation>
        </message>
        <message>
            <source>Show histogram, contrast, gamma and magnifier</source>
            <translation>显示直方图、对比度、伽马和放大镜</translation>
        </message>
        <message>
            <source>Show one picture</source>
            <translation>显示一张图片</translation>
        </message>
        <message>
            <source>Show or hide the jobs that run, wait and are over</source>
            <translation>显示去模糊任务的队列</translation>
        </message>
        <message>
            <source>Show or hide the sequences of the folder that was opened last</source>
            <translation>显示数据集中的序列</translation>
        </message>
        <message>
            <source>Show or hide the window of the current frame in numbers, and what the spikes saw in it</source>
            <translation>用数字查看和修改曝光窗口</translation>
        </message>
        <message>
            <source>Show or hide with what is deblurred: network, device, precision, tiles</source>
            <translation>选择网络、设备、精度和分块</translation>
        </message>
        <message>
            <source>Show the blurry frame in the pane under the mouse</source>
            <translation>在鼠标所在窗格显示模糊帧</translation>
        </message>
        <message>
            <source>Show the first two pictures in one pane, parted by a line that can be dragged</source>
            <translation>在一个窗格中显示前两张图片，中间的分界线可以拖动</translation>
        </message>
        <message>
            <source>Show the newest result in the pane under the mouse</source>
            <translation>在鼠标所在窗格显示最新结果</translation>
        </message>
        <message>
            <source>Show the next open sequence</source>
            <translation>显示下一个打开的序列</translation>
        </message>
        <message>
            <source>Show the open sequence before</source>
            <translation>显示上一个打开的序列</translation>
        </message>
        <message>
            <source>Show the pictures larger</source>
            <translation>放大图片</translation>
        </message>
        <message>
            <source>Show the pictures smaller</source>
            <translation>缩小图片</translation>
        </message>
        <message>
            <source>Show the selected voxel bin in the pane under the mouse</source>
            <translation>在鼠标所在窗格显示所选体素格</translation>
        </message>
        <message>
            <source>Show the sharp reference in the pane under the mouse</source>
            <translation>在鼠标所在窗格显示参考</translation>
        </message>
        <message>
            <source>Show the voxel bins of the current frame</source>
            <translation>显示当前帧的体素格</translation>
        </message>
        <message>
            <source>Show the whole picture in both panes</source>
            <translation>在窗格中显示整张图片</translation>
        </message>
        <message>
            <source>Show three pictures side by side</source>
            <translation>并排显示三张图片</translation>
        </message>
        <message>
            <source>Show two pictures side by side</source>
            <translation>并排显示两张图片</translation>
        </message>
        <message>
            <source>Show values as they are</source>
            <translation>按原值显示</translation>
        </message>
        <message>
            <source>Show what is odd about the files</source>
            <translation>显示文件的异常之处</translation>
        </message>
        <message>
            <source>Show what the spikes saw at the centre of the exposure in the pane under the mouse</source>
            <translation>在鼠标所在窗格显示曝光中点处脉冲所见</translation>
        </message>
        <message>
            <source>Show what the spikes saw during the exposure in the pane under the mouse</source>
            <translation>在鼠标所在窗格显示曝光期间脉冲所见</translation>
        </message>
        <message>
            <source>Show when the pixels under the mouse fired, and the intervals between their spikes</source>
            <translation>显示鼠标下的像素何时发放脉冲，以及脉冲间隔</translation>
        </message>
        <message>
            <source>Show which pixels of the spike camera fire more or less than others, in the pane under the mouse</source>
            <translation>在鼠标所在的窗格中显示脉冲相机的哪些像素比其他像素发放得多或少</translation>
        </message>
        <message>
            <source>Spread the values of the pane under the mouse over black to white; kept for all frames</source>
            <translation>把鼠标所在窗格的值铺满黑到白；对所有帧保持</translation>
        </message>
        <message>
            <source>Stop the chosen job within a tile; one that is over leaves the list</source>
            <translation>结束所选任务</translation>
        </message>
        <message>
            <source>Stop the restoration within a tile</source>
            <translation>停止正在运行的任务</translation>
        </message>
        <message>
            <source>Take all edits back, as one step that can be undone</source>
            <translation>取消对所有窗口的修改</translation>
        </message>
        <message>
            <source>Take away the region that was drawn with Shift and the mouse</source>
            <translation>去掉用 Shift 和鼠标画的区域</translation>
        </message>
        <message>
            <source>Take the last change of the alignment back</source>
            <translation>撤销对对齐的上一次修改</translation>
        </message>
        <message>
            <source>Take the panes to the clipboard, just as they are shown</source>
            <translation>把窗格按所见放到剪贴板</translation>
        </message>
        <message>
            <source>Take them off the list</source>
            <translation>把已结束的任务从列表中去掉</translation>
        </message>
        <message>
            <source>The range is the whole sequence again</source>
            <translation>重新使用整个序列</translation>
        </message>
        <message>
            <source>The range to deblur begins with this frame</source>
            <translation>以当前帧作为范围的起点</translation>
        </message>
        <message>
            <source>The range to deblur ends with this frame</source>
            <translation>以当前帧作为范围的终点</translation>
        </message>
        <message>
            <source>Use Chinese, from the next start on</source>
            <translation>使用简体中文；下次启动时生效</translation>
        </message>
        <message>
            <source>Use English, from the next start on</source>
            <translation>使用英语；下次启动时生效</translation>
        </message>
        <message>
            <source>Use a spike recording with the open frames</source>
            <translation>为已打开的帧添加脉冲录制</translation>
        </message>
        <message>
            <source>Use the desktop's language, from the next start on</source>
            <translation>使用桌面的语言；下次启动时生效</translation>
        </message>
        <message>
            <source>Use the windows of an alignment log (CSV)</source>
            <translation>使用文件中的窗口，可以撤销</translation>
        </message>
        <message>
            <source>Version, licence and libraries</source>
            <translation>版本、许可和所用的库</translation>
        </message>
        <message>
            <source>Write every restored frame into a folder, named as the input frames</source>
            <translation>把全部复原帧写入一个文件夹</translation>
        </message>
        <message>
            <source>Write the restored frame as PNG or TIFF, 8 or 16 bit</source>
            <translation>把复原后的当前帧写成图片</translation>
        </message>
        <message>
            <source>Write the windows as an alignment log (CSV)</source>
            <translation>把现在的窗口写成对齐记录</translation>
        </message>
    </context>
    <context>
        <name>Menus</name>
        <message>
            <source>File</source>
            <translation>文件</translation>
        </message>
        <message>
            <source>Edit</source>
            <translation>编辑</translation>
        </message>
        <message>
            <source>Frame</source>
            <translation>帧</translation>
        </message>
        <message>
            <source>Alignment</source>
            <translation>对齐</translation>
        </message>
        <message>
            <source>Deblur</source>
            <translation>去模糊</translation>
        </message>
        <message>
            <source>Compare</source>
            <translation>比较</translation>
        </message>
        <message>
            <source>View</source>
            <translation>视图</translation>
        </message>
        <message>
            <source>Help</source>
            <translation>帮助</translation>
        </message>
    </context>
    <context>
        <name>Errors</name>
        <message>
            <source>Add the pictures up and save their sum</source>
            <translation>请把这些图像相加，并保存其和</translation>
        </message>
        <message>
            <source>Ask for no polarity</source>
            <translation>不要指定极性</translation>
        </message>
        <message>
            <source>Ask for the right to read it</source>
            <translation>请申请读取权限</translation>
        </message>
        <message>
            <source>Begin anew with --overwrite, or choose another folder with --out</source>
            <translation>用 --overwrite 重新开始，或用 --out 选择其他文件夹</translation>
        </message>
        <message>
            <source>Check that it is a file and that you may read it.</source>
            <translation>请检查它是否为文件，以及您是否有读取权限。</translation>
        </message>
        <message>
            <source>Check that the reference belongs to these frames</source>
            <translation>请检查参考图是否属于这些帧</translation>
        </message>
        <message>
            <source>Check the alignment log, the rate and its unit of time, and if the recording is whole</source>
            <translation>请检查对齐日志、速率及其时间单位，以及录制是否完整</translation>
        </message>
        <message>
            <source>Check the path; it may have been moved.</source>
            <translation>请检查路径；它可能已被移动。</translation>
        </message>
        <message>
            <source>Check the spelling</source>
            <translation>请检查拼写</translation>
        </message>
        <message>
            <source>Choose a folder that can be written and has room.</source>
            <translation>请选择可写且有空间的文件夹。</translation>
        </message>
        <message>
            <source>Choose a larger tile</source>
            <translation>请选择更大的分块</translation>
        </message>
        <message>
            <source>Choose another</source>
            <translation>请另选一个</translation>
        </message>
        <message>
            <source>Choose another --region</source>
            <translation>请选择其他 --region</translation>
        </message>
        <message>
            <source>Choose another file</source>
            <translation>请选择其他文件</translation>
        </message>
        <message>
            <source>Choose another folder</source>
            <translation>请选择其他文件夹</translation>
        </message>
        <message>
            <source>Choose another folder with --out</source>
            <translation>请用 --out 选择其他文件夹</translation>
        </message>
        <message>
            <source>Choose another folder with --out, or begin anew with --overwrite</source>
            <translation>请用 --out 选择其他文件夹，或用 --overwrite 重新开始</translation>
        </message>
        <message>
            <source>Choose another format, or install PyAV from PyPI</source>
            <translation>请选择其他格式，或从 PyPI 安装 PyAV</translation>
        </message>
        <message>
            <source>Choose another method for other moments</source>
            <translation>要恢复其他时刻，请选择另一种方法</translation>
        </message>
        <message>
            <source>Choose another method, or mend this one</source>
            <translation>选择另一种方法，或修正这个方法</translation>
        </message>
        <message>
            <source>Choose another name for the file</source>
            <translation>请为文件另选名称</translation>
        </message>
        <message>
            <source>Choose another number of frames a second</source>
            <translation>请选择另一个每秒帧数</translation>
        </message>
        <message>
            <source>Choose fp32 or bf16</source>
            <translation>请选择 fp32 或 bf16</translation>
        </message>
        <message>
            <source>Choose longer clips</source>
            <translation>请选择更长的片段</translation>
        </message>
        <message>
            <source>Choose one of these</source>
            <translation>请选择其中之一</translation>
        </message>
        <message>
            <source>Choose one of these, or auto</source>
            <translation>请选择其中之一，或 auto</translation>
        </message>
        <message>
            <source>Choose other values, or auto</source>
            <translation>请选择其他值，或 auto</translation>
        </message>
        <message>
            <source>Choose others with --frames</source>
            <translation>请用 --frames 选择其他帧</translation>
        </message>
        <message>
            <source>Choose the array with the spikes, not a video or counts.</source>
            <translation>请选择含脉冲的数组，而不是视频或计数。</translation>
        </message>
        <message>
            <source>Choose the folder with the spikes itself.</source>
            <translation>请直接选择含脉冲的文件夹。</translation>
        </message>
        <message>
            <source>Close other programs</source>
            <translation>请关闭其他程序</translation>
        </message>
        <message>
            <source>Close other programs, or give the container more (--shm-size)</source>
            <translation>请关闭其他程序，或给容器更多共享内存（--shm-size）</translation>
        </message>
        <message>
            <source>Close other programs, or restore on another device</source>
            <translation>请关闭其他程序，或换一个设备复原</translation>
        </message>
        <message>
            <source>Columns are expected as t, x, y and perhaps p.</source>
            <translation>各列应为 t、x、y，以及可选的 p。</translation>
        </message>
        <message>
            <source>Complete the log, or move it away to let the windows be guessed</source>
            <translation>请补全记录，或把它移走以便推测窗口</translation>
        </message>
        <message>
            <source>Convert it to one of these</source>
            <translation>请转换为其中一种</translation>
        </message>
        <message>
            <source>Copy it again</source>
            <translation>请重新复制</translation>
        </message>
        <message>
            <source>Copy it again from where it is whole, or save it anew from a program that shows it right</source>
            <translation>请从完好处重新复制，或用能正确显示它的程序重新保存</translation>
        </message>
        <message>
            <source>Copy or record it again.</source>
            <translation>请重新复制或录制。</translation>
        </message>
        <message>
            <source>Copy or record it again; it may be truncated.</source>
            <translation>请重新复制或录制；它可能被截断。</translation>
        </message>
        <message>
            <source>Copy or save the list again, it may be damaged</source>
            <translation>请重新复制或保存该列表，它可能已损坏</translation>
        </message>
        <message>
            <source>Copy the video again, or leave this frame out</source>
            <translation>请重新复制视频，或略去这一帧</translation>
        </message>
        <message>
            <source>Cut the file there into recordings of their own if the clock was set back, or sort the events by time if their order means nothing</source>
            <translation>如果时钟被拨回，请在该处把文件切成各自独立的记录；如果顺序没有意义，请按时间排序事件</translation>
        </message>
        <message>
            <source>Cut the video where its size changes</source>
            <translation>请在尺寸改变处剪开视频</translation>
        </message>
        <message>
            <source>Free some space</source>
            <translation>请腾出一些空间</translation>
        </message>
        <message>
            <source>Give --out FILE.npz</source>
            <translation>请指定 --out 文件.npz</translation>
        </message>
        <message>
            <source>Give --side-by-side a name that ends in .png or .tif</source>
            <translation>--side-by-side 的文件名应以 .png 或 .tif 结尾</translation>
        </message>
        <message>
            <source>Give frame=</source>
            <translation>请给出 frame=</translation>
        </message>
        <message>
            <source>Give one of them</source>
            <translation>请只给出其中之一</translation>
        </message>
        <message>
            <source>Give the file a name that ends in .png or .tif</source>
            <translation>文件名应以 .png 或 .tif 结尾</translation>
        </message>
        <message>
            <source>Go on with them by --resume, choose another folder with --out, or add --overwrite</source>
            <translation>用 --resume 继续，用 --out 选择其他文件夹，或加上 --overwrite</translation>
        </message>
        <message>
            <source>It may be truncated, or hold more than tensors and plain values, which is never run here</source>
            <translation>文件可能被截断，或含有张量和普通值以外的内容；这类内容从不在此执行</translation>
        </message>
        <message>
            <source>It may be truncated: copy or download it again</source>
            <translation>文件可能被截断：请重新复制或下载</translation>
        </message>
        <message>
            <source>JPEG XR cannot be checked for missing data</source>
            <translation>无法检查 JPEG XR 是否缺失数据</translation>
        </message>
        <message>
            <source>JPEG of this depth cannot be checked for missing data</source>
            <translation>无法检查这种位深的 JPEG 是否缺失数据</translation>
        </message>
        <message>
            <source>Keep recordings of one size in a folder, or copy a truncated one again.</source>
            <translation>一个文件夹只放同一尺寸的录制，或重新复制被截断的录制。</translation>
        </message>
        <message>
            <source>Keep recordings of one size in a folder.</source>
            <translation>一个文件夹只放同一尺寸的录制。</translation>
        </message>
        <message>
            <source>Leave it out, or open its folder without the others</source>
            <translation>请去掉它，或单独打开它的文件夹</translation>
        </message>
        <message>
            <source>Leave the registration out, or name the frames</source>
            <translation>请去掉配准，或指定帧</translation>
        </message>
        <message>
            <source>Leave this frame out or choose another method or network</source>
            <translation>请跳过该帧，或选择其他方法或网络</translation>
        </message>
        <message>
            <source>Make it again with the flat command</source>
            <translation>请用 flat 命令重新生成</translation>
        </message>
        <message>
            <source>Make it first</source>
            <translation>请先创建它</translation>
        </message>
        <message>
            <source>Make it, or choose another</source>
            <translation>请创建它，或选择其他</translation>
        </message>
        <message>
            <source>Make room there, or name another folder in the environment variable TMPDIR</source>
            <translation>请在那里腾出空间，或在环境变量 TMPDIR 中指定其他文件夹</translation>
        </message>
        <message>
            <source>Measure the registration again, or leave it out where both cameras see the same</source>
            <translation>请重新测量配准；若两台相机视野相同，可去掉它</translation>
        </message>
        <message>
            <source>Measure the registration of these cameras, or leave it out where both see the same</source>
            <translation>请测量这两台相机的配准；若两者视野相同，可去掉它</translation>
        </message>
        <message>
            <source>Name a flat field of this camera with --flat, or --flat none</source>
            <translation>请用 --flat 指定此相机的平场，或用 --flat none</translation>
        </message>
        <message>
            <source>Name another file with --flat, or --flat none</source>
            <translation>请用 --flat 指定另一个文件，或用 --flat none</translation>
        </message>
        <message>
            <source>Name each recording as its frame, or point at one recording for all frames</source>
            <translation>每个录制请与其帧同名，或为所有帧指定一个录制</translation>
        </message>
        <message>
            <source>Name it with --model</source>
            <translation>用 --model 指定它</translation>
        </message>
        <message>
            <source>Name the alignment log with --alignment, or choose another method</source>
            <translation>用 --alignment 指定对齐日志，或选择另一种方法</translation>
        </message>
        <message>
            <source>Name the folder of sharp pictures</source>
            <translation>请指定清晰图像的文件夹</translation>
        </message>
        <message>
            <source>Name the folder of sharp pictures with --reference</source>
            <translation>请用 --reference 指定清晰图像的文件夹</translation>
        </message>
        <message>
            <source>Name the recording with --spikes, or choose a network without a spike branch</source>
            <translation>请用 --spikes 指定录制，或选择没有脉冲分支的网络</translation>
        </message>
        <message>
            <source>Name the right folder of sharp pictures with --reference</source>
            <translation>请用 --reference 指定正确的清晰图像文件夹</translation>
        </message>
        <message>
            <source>Open a folder of blurry frames or a recording</source>
            <translation>请打开模糊帧文件夹或录制</translation>
        </message>
        <message>
            <source>Open it again.</source>
            <translation>请重新打开。</translation>
        </message>
        <message>
            <source>Open it alone, as the only picture of its folder, or save its pictures as single files</source>
            <translation>请把它作为文件夹中唯一的图片单独打开，或把其中的图片存成单个文件</translation>
        </message>
        <message>
            <source>Open it as it is.</source>
            <translation>请直接打开它。</translation>
        </message>
        <message>
            <source>Open it together with its recording (spikes=...)</source>
            <translation>请与它的录制一起打开（spikes=...）</translation>
        </message>
        <message>
            <source>Open the folder that holds it</source>
            <translation>请打开包含它的文件夹</translation>
        </message>
        <message>
            <source>Open the sequence again</source>
            <translation>请重新打开序列</translation>
        </message>
        <message>
            <source>Open what it should lead to</source>
            <translation>请打开它应指向的内容</translation>
        </message>
        <message>
            <source>Record an even surface, or a scene that moves over the whole picture for longer</source>
            <translation>请录制均匀的表面，或整幅画面运动更久的场景</translation>
        </message>
        <message>
            <source>Remove the events whose coordinates are damaged, or give height and width</source>
            <translation>请删除坐标已损坏的事件，或给出高度和宽度</translation>
        </message>
        <message>
            <source>Rename it to .dat if its planes are packed; else copy it again.</source>
            <translation>若平面为打包格式，请改名为 .dat；否则请重新复制。</translation>
        </message>
        <message>
            <source>Rename the sequence as in the log, or give a log of its own</source>
            <translation>请按记录中的名称重命名序列，或给它单独的记录</translation>
        </message>
        <message>
            <source>Repair or leave out this frame</source>
            <translation>请修复或去掉这一帧</translation>
        </message>
        <message>
            <source>Repair the row, or move the log away to let the windows be guessed</source>
            <translation>请修正该行，或把记录移走以便推测窗口</translation>
        </message>
        <message>
            <source>Restore all frames into this folder, or choose the ones it has with --frames</source>
            <translation>请把所有帧复原到此文件夹，或用 --frames 选择其中已有的帧</translation>
        </message>
        <message>
            <source>Restore the frame again and report the sequence if it stays so</source>
            <translation>请重新复原这一帧；若仍如此，请报告此序列</translation>
        </message>
        <message>
            <source>Restore them into different folders with --frames</source>
            <translation>请用 --frames 把它们复原到不同的文件夹</translation>
        </message>
        <message>
            <source>Save it as CSV in UTF-8, or point at another log</source>
            <translation>请另存为 UTF-8 的 CSV，或指定其他记录</translation>
        </message>
        <message>
            <source>Save it as PNG or TIFF</source>
            <translation>请存为 PNG 或 TIFF</translation>
        </message>
        <message>
            <source>Save it with 8 or 16 bits</source>
            <translation>请以 8 位或 16 位保存</translation>
        </message>
        <message>
            <source>Save it with another compression, such as LZW or none</source>
            <translation>请用其他压缩方式保存，例如 LZW 或不压缩</translation>
        </message>
        <message>
            <source>Save its content as a file first</source>
            <translation>请先把内容保存为文件</translation>
        </message>
        <message>
            <source>Save its layers as pages</source>
            <translation>请把各层存成页面</translation>
        </message>
        <message>
            <source>Save the array again with a number type.</source>
            <translation>请用数值类型重新保存数组。</translation>
        </message>
        <message>
            <source>Save the weights again with torch.save, which compresses nothing</source>
            <translation>请用 torch.save 重新保存权重，它不作压缩</translation>
        </message>
        <message>
            <source>Save them as tensors of their own (.contiguous()), or use another file</source>
            <translation>请把它们存成独立的张量（.contiguous()），或使用其他文件</translation>
        </message>
        <message>
            <source>Save them as they were trained, not quantised or converted</source>
            <translation>请按训练时的样子保存，不要量化或转换</translation>
        </message>
        <message>
            <source>Say --height and --width</source>
            <translation>请给出 --height 和 --width</translation>
        </message>
        <message>
            <source>Say the unit with --time-unit where it is another</source>
            <translation>若是其他单位，请用 --time-unit 说明</translation>
        </message>
        <message>
            <source>Say the unit with --time-unit, or check the rate (--rate), or subtract the recording's start from the times, or move the log away to let the windows be guessed</source>
            <translation>请用 --time-unit 说明单位，或检查速率（--rate），或从时间中减去记录的起点，或移走日志让程序猜测窗口</translation>
        </message>
        <message>
            <source>Scale it to [0, 1], or save it with 16 bits</source>
            <translation>请缩放到 [0, 1]，或以 16 位保存</translation>
        </message>
        <message>
            <source>Such a network gives no pictures: use an earlier file of it, or train it again</source>
            <translation>这样的网络得不出图像：请使用它较早的文件，或重新训练</translation>
        </message>
        <message>
            <source>Update this program</source>
            <translation>请更新本程序</translation>
        </message>
        <message>
            <source>Use another file</source>
            <translation>使用另一个文件</translation>
        </message>
        <message>
            <source>Use the configuration that the weights were trained with</source>
            <translation>请使用训练这些权重时的配置</translation>
        </message>
        <message>
            <source>Write both in one unit</source>
            <translation>请用同一单位书写两者</translation>
        </message>
        <message>
            <source>Write it again with `python -m training export`, or use another file</source>
            <translation>用 `python -m training export` 重新写出，或使用其他文件</translation>
        </message>
        <message>
            <source>Write it with `python -m training export`, or `engine.model.save_model`</source>
            <translation>请用 `python -m training export` 或 `engine.model.save_model` 写出</translation>
        </message>
        <message>
            <source>YCbCr of this kind is not read</source>
            <translation>不读取这种 YCbCr</translation>
        </message>
        <message>
            <source>a MetaMorph stack is not read</source>
            <translation>不读取 MetaMorph 堆栈</translation>
        </message>
        <message>
            <source>a floating-point picture outside its range</source>
            <translation>浮点图像超出范围</translation>
        </message>
        <message>
            <source>a folder is in the way of a result</source>
            <translation>结果的位置上有一个文件夹</translation>
        </message>
        <message>
            <source>a folder of this name is in the way</source>
            <translation>该名称的文件夹已存在</translation>
        </message>
        <message>
            <source>a homography holds a number that is not finite</source>
            <translation>单应矩阵含有非有限的数</translation>
        </message>
        <message>
            <source>a homography holds what is no number</source>
            <translation>单应矩阵含有不是数的内容</translation>
        </message>
        <message>
            <source>a homography is 3 rows of 3 numbers</source>
            <translation>单应矩阵应为 3 行，每行 3 个数</translation>
        </message>
        <message>
            <source>a job needs at least one moment</source>
            <translation>一个任务至少需要一个时刻</translation>
        </message>
        <message>
            <source>a network of these sizes cannot be built</source>
            <translation>无法构建这种尺寸的网络</translation>
        </message>
        <message>
            <source>a network with a spike branch needs to know how its voxels are made</source>
            <translation>带脉冲分支的网络需要知道体素如何生成</translation>
        </message>
        <message>
            <source>a pattern is kept as .npz</source>
            <translation>固定图案以 .npz 格式保存</translation>
        </message>
        <message>
            <source>a photometric interpretation that is not read</source>
            <translation>不读取这种光度解释</translation>
        </message>
        <message>
            <source>a predictor with packed samples</source>
            <translation>预测器与打包采样并用</translation>
        </message>
        <message>
            <source>a registration is given, and there is no second camera: the frames are made of the spikes</source>
            <translation>给出了配准，但没有第二台相机：这些帧是由脉冲生成的</translation>
        </message>
        <message>
            <source>a tile needs a positive edge</source>
            <translation>图块的边长必须为正</translation>
        </message>
        <message>
            <source>a weight is there twice, under two names</source>
            <translation>同一权重以两个名称出现了两次</translation>
        </message>
        <message>
            <source>another process has just begun to write here</source>
            <translation>另一个进程刚开始在此写入</translation>
        </message>
        <message>
            <source>cannot be read</source>
            <translation>无法读取</translation>
        </message>
        <message>
            <source>cannot be written</source>
            <translation>无法写入</translation>
        </message>
        <message>
            <source>cannot read planes that are not there</source>
            <translation>无法读取不存在的平面</translation>
        </message>
        <message>
            <source>cannot write planes that are not binary</source>
            <translation>无法写入非二值的平面</translation>
        </message>
        <message>
            <source>cannot write these planes</source>
            <translation>无法写入这些平面</translation>
        </message>
        <message>
            <source>clips are too short for the frames they share</source>
            <translation>片段太短，少于共用的帧数</translation>
        </message>
        <message>
            <source>events lie farther apart than the pixels of any sensor</source>
            <translation>事件之间的距离超出任何传感器的像素范围</translation>
        </message>
        <message>
            <source>every frame needs a window</source>
            <translation>每一帧都需要窗口</translation>
        </message>
        <message>
            <source>far too many virtual frames</source>
            <translation>虚拟帧太多</translation>
        </message>
        <message>
            <source>fp16 is for GPUs</source>
            <translation>fp16 只用于 GPU</translation>
        </message>
        <message>
            <source>frames and moments are both given</source>
            <translation>同时给出了帧和时刻</translation>
        </message>
        <message>
            <source>frames are there, and none of them can be read</source>
            <translation>帧在那里，但没有一帧能读取</translation>
        </message>
        <message>
            <source>inks of an unknown kind</source>
            <translation>未知种类的油墨</translation>
        </message>
        <message>
            <source>inks that are not CMYK</source>
            <translation>不是 CMYK 的油墨</translation>
        </message>
        <message>
            <source>its weights cannot be used</source>
            <translation>它的权重无法使用</translation>
        </message>
        <message>
            <source>lossless JPEG that does not say its colours</source>
            <translation>未说明颜色的无损 JPEG</translation>
        </message>
        <message>
            <source>neither a file nor a folder</source>
            <translation>既不是文件也不是文件夹</translation>
        </message>
        <message>
            <source>neither frames nor spikes are there</source>
            <translation>既没有帧也没有脉冲</translation>
        </message>
        <message>
            <source>neither planes nor events are in this file</source>
            <translation>文件中既没有平面也没有事件</translation>
        </message>
        <message>
            <source>no fixed pattern can be told from the scene</source>
            <translation>无法从场景中分辨出固定图案</translation>
        </message>
        <message>
            <source>no flat field: it has no planes</source>
            <translation>不是平场：没有脉冲平面</translation>
        </message>
        <message>
            <source>no flat field: it holds no picture</source>
            <translation>不是平场：不含图像</translation>
        </message>
        <message>
            <source>no flat field: its values are no counts of spikes</source>
            <translation>不是平场：其数值不是脉冲计数</translation>
        </message>
        <message>
            <source>no kept pattern of a sensor, or a damaged one</source>
            <translation>不是保存的传感器固定图案，或文件已损坏</translation>
        </message>
        <message>
            <source>no known picture format</source>
            <translation>未知的图像格式</translation>
        </message>
        <message>
            <source>no possible frame rate</source>
            <translation>不可能的帧率</translation>
        </message>
        <message>
            <source>no recording has the name of a frame</source>
            <translation>没有录制与帧同名</translation>
        </message>
        <message>
            <source>no recording has this rate</source>
            <translation>录制不可能有这样的速率</translation>
        </message>
        <message>
            <source>no reference pictures are there</source>
            <translation>没有参考图</translation>
        </message>
        <message>
            <source>no sequence is in this folder</source>
            <translation>此文件夹中没有序列</translation>
        </message>
        <message>
            <source>no such frame</source>
            <translation>没有这一帧</translation>
        </message>
        <message>
            <source>no such unit of time</source>
            <translation>没有这样的时间单位</translation>
        </message>
        <message>
            <source>none of these frames has a reference to compare with</source>
            <translation>这些帧都没有可比较的参考图</translation>
        </message>
        <message>
            <source>not a colour picture</source>
            <translation>不是彩色图像</translation>
        </message>
        <message>
            <source>not a grey or colour picture</source>
            <translation>不是灰度或彩色图像</translation>
        </message>
        <message>
            <source>not a sequence</source>
            <translation>不是序列</translation>
        </message>
        <message>
            <source>not tried, since it would fail as those before it</source>
            <translation>未尝试，因为会像前面的帧一样失败</translation>
        </message>
        <message>
            <source>nothing is there</source>
            <translation>此处没有任何内容</translation>
        </message>
        <message>
            <source>nothing says the height and width of a plane, and the bits do not show them clearly</source>
            <translation>没有任何信息说明平面的高和宽，数据位也不能清楚显示</translation>
        </message>
        <message>
            <source>of a bare picture it must be said which frame it is of</source>
            <translation>对单独的图像，必须说明它属于哪一帧</translation>
        </message>
        <message>
            <source>pictures of a video must be of one size</source>
            <translation>一个视频的图像必须尺寸相同</translation>
        </message>
        <message>
            <source>pictures of different shapes cannot be compared</source>
            <translation>形状不同的图像无法比较</translation>
        </message>
        <message>
            <source>planes per second must be positive</source>
            <translation>每秒平面数必须为正</translation>
        </message>
        <message>
            <source>results are already there</source>
            <translation>结果已经存在</translation>
        </message>
        <message>
            <source>samples of an unknown kind</source>
            <translation>未知的采样类型</translation>
        </message>
        <message>
            <source>several results would have the same name</source>
            <translation>多个结果会有相同的名称</translation>
        </message>
        <message>
            <source>some weights are no tensors under a name</source>
            <translation>有些权重不是带名称的张量</translation>
        </message>
        <message>
            <source>some weights claim more values than the file holds</source>
            <translation>有些权重声称的数值多于文件所含</translation>
        </message>
        <message>
            <source>the alignment log counts t0 and t1 in different units</source>
            <translation>对齐日志的 t0 和 t1 使用了不同的单位</translation>
        </message>
        <message>
            <source>the alignment log does not cover every frame</source>
            <translation>对齐记录没有覆盖每一帧</translation>
        </message>
        <message>
            <source>the alignment log holds no frames</source>
            <translation>对齐记录中没有帧</translation>
        </message>
        <message>
            <source>the alignment log is empty</source>
            <translation>对齐记录为空</translation>
        </message>
        <message>
            <source>the alignment log is not text</source>
            <translation>对齐记录不是文本</translation>
        </message>
        <message>
            <source>the alignment log is of several sequences, none of them this one</source>
            <translation>对齐记录属于多个序列，但不包括这一个</translation>
        </message>
        <message>
            <source>the alignment windows do not fit the frames</source>
            <translation>对齐窗口与帧不符</translation>
        </message>
        <message>
            <source>the archive holds no arrays</source>
            <translation>归档中没有数组</translation>
        </message>
        <message>
            <source>the array is cut short</source>
            <translation>数组被截断</translation>
        </message>
        <message>
            <source>the array is cut short, or its header is damaged</source>
            <translation>数组被截断，或文件头损坏</translation>
        </message>
        <message>
            <source>the columns of the event list differ in length</source>
            <translation>事件列表各列长度不同</translation>
        </message>
        <message>
            <source>the configuration is no mapping</source>
            <translation>配置不是映射</translation>
        </message>
        <message>
            <source>the configuration names no known network</source>
            <translation>配置中的网络未知</translation>
        </message>
        <message>
            <source>the counts are too many to be held at once</source>
            <translation>计数太多，无法一次装入内存</translation>
        </message>
        <message>
            <source>the event list is empty</source>
            <translation>事件列表为空</translation>
        </message>
        <message>
            <source>the events span far more planes than there are events</source>
            <translation>事件跨越的平面数远多于事件数</translation>
        </message>
        <message>
            <source>the exposure is longer than the recording</source>
            <translation>曝光比录制还长</translation>
        </message>
        <message>
            <source>the exposure of virtual frames is shorter than one plane</source>
            <translation>虚拟帧的曝光短于一个平面</translation>
        </message>
        <message>
            <source>the file cannot be read as safetensors</source>
            <translation>文件无法按 safetensors 读取</translation>
        </message>
        <message>
            <source>the file cannot be read as weights</source>
            <translation>文件无法按权重读取</translation>
        </message>
        <message>
            <source>the file claims more than it holds</source>
            <translation>文件声称的内容多于它实际所含</translation>
        </message>
        <message>
            <source>the file has no video in it, only sound or other data</source>
            <translation>文件中没有视频，只有声音或其他数据</translation>
        </message>
        <message>
            <source>the file holds no weights</source>
            <translation>文件中没有权重</translation>
        </message>
        <message>
            <source>the file holds weights and does not say of which network, or how that reads its spikes</source>
            <translation>文件只有权重，没有说明属于哪个网络，也没有说明该网络如何读取脉冲</translation>
        </message>
        <message>
            <source>the file is a stack of pictures</source>
            <translation>文件是一叠图像</translation>
        </message>
        <message>
            <source>the file was written by a newer program</source>
            <translation>文件由更新版本的程序写成</translation>
        </message>
        <message>
            <source>the folder holds no recording</source>
            <translation>文件夹中没有录制</translation>
        </message>
        <message>
            <source>the frames asked for are not all there</source>
            <translation>所要的帧不全</translation>
        </message>
        <message>
            <source>the frames have changed size</source>
            <translation>帧的尺寸已改变</translation>
        </message>
        <message>
            <source>the homography is singular: it takes the frame to a line or a point</source>
            <translation>单应矩阵是奇异的：它把整帧映射成一条线或一个点</translation>
        </message>
        <message>
            <source>the homography leaves the spikes no pixel of the frame</source>
            <translation>按此单应矩阵，脉冲看不到帧的任何像素</translation>
        </message>
        <message>
            <source>the homography makes pixels of one camera hundreds of the other's long</source>
            <translation>按此单应矩阵，一台相机的像素有另一台的数百个像素那么长</translation>
        </message>
        <message>
            <source>the homography's horizon crosses the frame or the spikes</source>
            <translation>单应矩阵的地平线穿过了帧或脉冲画面</translation>
        </message>
        <message>
            <source>the link leads nowhere</source>
            <translation>链接没有指向任何内容</translation>
        </message>
        <message>
            <source>the name does not fit the format</source>
            <translation>名称与格式不符</translation>
        </message>
        <message>
            <source>the network and its voxels do not fit</source>
            <translation>网络与其体素不符</translation>
        </message>
        <message>
            <source>the network cannot take these frames</source>
            <translation>网络不能接受这些帧</translation>
        </message>
        <message>
            <source>the network cannot take these voxels</source>
            <translation>网络不能接受这些体素</translation>
        </message>
        <message>
            <source>the picture could not be encoded as PNG</source>
            <translation>图像无法编码为 PNG</translation>
        </message>
        <message>
            <source>the picture does not fit into memory</source>
            <translation>图片超出内存容量</translation>
        </message>
        <message>
            <source>the picture has another size than the rest</source>
            <translation>该图像的尺寸与其余不同</translation>
        </message>
        <message>
            <source>the picture has depth</source>
            <translation>图片带有深度维</translation>
        </message>
        <message>
            <source>the picture has several channels and no colours</source>
            <translation>图片有多个通道但没有颜色</translation>
        </message>
        <message>
            <source>the picture holds values that are not numbers</source>
            <translation>图像含有非数值</translation>
        </message>
        <message>
            <source>the picture is broken or of an unknown kind</source>
            <translation>图像损坏或类型未知</translation>
        </message>
        <message>
            <source>the picture is empty</source>
            <translation>图片是空的</translation>
        </message>
        <message>
            <source>the picture is too large</source>
            <translation>图像太大</translation>
        </message>
        <message>
            <source>the picture needs a decoder that is not installed</source>
            <translation>图片需要未安装的解码器</translation>
        </message>
        <message>
            <source>the pictures of the job have been given back</source>
            <translation>该任务的图像已被归还</translation>
        </message>
        <message>
            <source>the planes are not binary</source>
            <translation>平面不是二值的</translation>
        </message>
        <message>
            <source>the recording is closed</source>
            <translation>录制已关闭</translation>
        </message>
        <message>
            <source>the recording is empty</source>
            <translation>录制为空</translation>
        </message>
        <message>
            <source>the recording is shorter than one plane</source>
            <translation>录制不足一个平面</translation>
        </message>
        <message>
            <source>the recording was cut short while it was open</source>
            <translation>录制在打开期间被截断</translation>
        </message>
        <message>
            <source>the recordings of this folder are not of one geometry</source>
            <translation>此文件夹中的录制尺寸不一</translation>
        </message>
        <message>
            <source>the reference is of another size than the frame</source>
            <translation>参考图与帧的尺寸不同</translation>
        </message>
        <message>
            <source>the reference pictures cannot be read</source>
            <translation>无法读取参考图片</translation>
        </message>
        <message>
            <source>the region reaches outside the frame</source>
            <translation>区域超出帧</translation>
        </message>
        <message>
            <source>the region reaches outside the frames</source>
            <translation>区域超出帧</translation>
        </message>
        <message>
            <source>the registration is of other cameras</source>
            <translation>该配准属于其他相机</translation>
        </message>
        <message>
            <source>the restored picture does not have the size the job was asked for</source>
            <translation>复原图像的尺寸与任务要求不符</translation>
        </message>
        <message>
            <source>the results there are of something else</source>
            <translation>那里的结果属于其他内容</translation>
        </message>
        <message>
            <source>the results there were made from something else</source>
            <translation>那里的结果由其他内容生成</translation>
        </message>
        <message>
            <source>the results would be taken for pictures of the sequence when it is opened again</source>
            <translation>再次打开序列时，结果会被当作它的图像</translation>
        </message>
        <message>
            <source>the results would lie among the input frames</source>
            <translation>结果会混入输入帧</translation>
        </message>
        <message>
            <source>the results would lie among the sequences</source>
            <translation>结果会混入各序列</translation>
        </message>
        <message>
            <source>the results would replace the input</source>
            <translation>结果会覆盖输入</translation>
        </message>
        <message>
            <source>the samples of a pixel have different depths</source>
            <translation>同一像素的各采样位深不同</translation>
        </message>
        <message>
            <source>the sequence has no spikes</source>
            <translation>序列没有脉冲</translation>
        </message>
        <message>
            <source>the sequence is closed</source>
            <translation>序列已关闭</translation>
        </message>
        <message>
            <source>the size of its planes is in the file, and need not be guessed</source>
            <translation>平面尺寸已写在文件中，无需猜测</translation>
        </message>
        <message>
            <source>the spikes of this recording have no polarity</source>
            <translation>此录制的脉冲没有极性</translation>
        </message>
        <message>
            <source>the stack has other axes than time</source>
            <translation>堆栈有时间以外的轴</translation>
        </message>
        <message>
            <source>the stack is closed</source>
            <translation>堆栈已关闭</translation>
        </message>
        <message>
            <source>the video cannot be decoded</source>
            <translation>视频无法解码</translation>
        </message>
        <message>
            <source>the video cannot be encoded</source>
            <translation>视频无法编码</translation>
        </message>
        <message>
            <source>the video has colours that cannot be turned into RGB</source>
            <translation>视频的颜色无法转换为 RGB</translation>
        </message>
        <message>
            <source>the video is closed</source>
            <translation>视频已关闭</translation>
        </message>
        <message>
            <source>the video is coded in a way that is not known</source>
            <translation>视频的编码方式未知</translation>
        </message>
        <message>
            <source>the video is empty</source>
            <translation>视频文件是空的</translation>
        </message>
        <message>
            <source>the video is not there</source>
            <translation>视频不存在</translation>
        </message>
        <message>
            <source>the weights are of a network of this program whose sizes are not in the file</source>
            <translation>这些权重属于本程序的网络，但文件中没有其尺寸</translation>
        </message>
        <message>
            <source>the weights are of a number type that is none of weights</source>
            <translation>权重的数值类型不是权重应有的类型</translation>
        </message>
        <message>
            <source>the weights are of no network known here</source>
            <translation>权重不属于任何已知网络</translation>
        </message>
        <message>
            <source>the weights do not fit the network</source>
            <translation>权重与网络不符</translation>
        </message>
        <message>
            <source>the weights hold values that are NaN or infinite</source>
            <translation>权重中含有 NaN 或无穷大的值</translation>
        </message>
        <message>
            <source>the worker client is closed</source>
            <translation>计算进程的客户端已关闭</translation>
        </message>
        <message>
            <source>there are more pictures than times</source>
            <translation>图像比时间点多</translation>
        </message>
        <message>
            <source>there are no weights in it</source>
            <translation>其中没有权重</translation>
        </message>
        <message>
            <source>there is no folder for --side-by-side</source>
            <translation>--side-by-side 的文件夹不存在</translation>
        </message>
        <message>
            <source>there is no picture of this frame among the results</source>
            <translation>结果中没有这一帧的图像</translation>
        </message>
        <message>
            <source>there is no picture to make a video of</source>
            <translation>没有可做成视频的图像</translation>
        </message>
        <message>
            <source>there is no sequence below this folder</source>
            <translation>此文件夹下没有序列</translation>
        </message>
        <message>
            <source>there is no such file, and no bundled network of this name</source>
            <translation>没有这个文件，也没有同名的内置网络</translation>
        </message>
        <message>
            <source>there is no such recording</source>
            <translation>没有这个录制</translation>
        </message>
        <message>
            <source>there is too little shared memory for two pictures</source>
            <translation>共享内存不足以容纳两幅图像</translation>
        </message>
        <message>
            <source>these frames are not in the sequence</source>
            <translation>序列中没有这些帧</translation>
        </message>
        <message>
            <source>this file is already there</source>
            <translation>此文件已存在</translation>
        </message>
        <message>
            <source>this flat field is not of the size of the recording</source>
            <translation>此平场与录制的尺寸不同</translation>
        </message>
        <message>
            <source>this flat field is of another sensor, or the other way up</source>
            <translation>此平场属于另一个传感器，或上下颠倒</translation>
        </message>
        <message>
            <source>this flat field says that more spikes come in the dark than come at all</source>
            <translation>这个平场表明暗处的脉冲比全部脉冲还多</translation>
        </message>
        <message>
            <source>this is no network</source>
            <translation>这不是网络</translation>
        </message>
        <message>
            <source>this is no registration</source>
            <translation>这不是配准</translation>
        </message>
        <message>
            <source>this is not an alignment log: its header lacks t0 or t1</source>
            <translation>这不是对齐记录：表头缺少 t0 或 t1</translation>
        </message>
        <message>
            <source>this is not the report of a restoration that can go on</source>
            <translation>这不是可以继续的复原记录</translation>
        </message>
        <message>
            <source>this method needs spikes, and the sequence has none</source>
            <translation>此方法需要脉冲，而该序列没有</translation>
        </message>
        <message>
            <source>this method needs to be told when the frames were exposed, and the windows are a guess</source>
            <translation>这个方法需要知道各帧的曝光时间，而当前的窗口只是猜测</translation>
        </message>
        <message>
            <source>this part of the folder holds no planes</source>
            <translation>文件夹的这一部分没有平面</translation>
        </message>
        <message>
            <source>tile, clip, batch and memory must be positive, and an overlap not negative</source>
            <translation>分块、片段、批量和内存必须为正，重叠不能为负</translation>
        </message>
        <message>
            <source>tiles are too small for what they share</source>
            <translation>分块太小，小于共用部分</translation>
        </message>
        <message>
            <source>times of pictures must ascend from 0</source>
            <translation>图像的时间必须从 0 开始递增</translation>
        </message>
        <message>
            <source>times of the event list are beyond any clock</source>
            <translation>事件列表的时间超出任何时钟的范围</translation>
        </message>
        <message>
            <source>times of the event list are not numbers</source>
            <translation>事件列表的时间不是数值</translation>
        </message>
        <message>
            <source>times of the event list go back, and not as those of a counter that runs over</source>
            <translation>事件列表的时间倒退，且不像计数器溢出</translation>
        </message>
        <message>
            <source>too large for an alignment log</source>
            <translation>对齐记录过大</translation>
        </message>
        <message>
            <source>unknown bit depth</source>
            <translation>未知的位深</translation>
        </message>
        <message>
            <source>unknown quality</source>
            <translation>未知的质量</translation>
        </message>
        <message>
            <source>what the file says about its network cannot be used</source>
            <translation>文件对其网络的描述无法使用</translation>
        </message>
        <message>
            <source>which axes of the counts are the picture is not known</source>
            <translation>不知道计数的哪些轴是图像</translation>
        </message>
    </context>
</TS>
